//! Durations as they are written in configuration: `2s`, `15m`, `12h`, `30d`, `500ms`.

use std::time::Duration;

/// What a duration may look like, for messages.
pub(crate) const FORM: &str = "write a whole number and its unit: \"500ms\", \"2s\", \"15m\", \"12h\" or \"30d\"";

const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// The duration that `text` says.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let (_, factor) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(factor).map(Duration::from_millis)
}

/// The shortest way to write `duration`.
pub(crate) fn text(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let fitting = UNITS.into_iter().rev().find(|(_, factor)| millis > 0 && millis.is_multiple_of(*factor));
    let (unit, factor) = fitting.unwrap_or(("s", 1000));
    format!("{}{unit}", millis / factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_a_number_and_a_unit() {
        for (written, millis) in
            [("2s", 2000), ("15m", 900_000), ("12h", 43_200_000), ("30d", 2_592_000_000), ("0s", 0)]
        {
            assert_eq!(parse(written), Some(Duration::from_millis(millis)), "{written}");
            assert_eq!(text(Duration::from_millis(millis)), written);
        }
        for bad in ["", "15", "m", "1.5h", "-2s", "2 s", "1w", "99999999999999999999d", "18446744073709551615d"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
