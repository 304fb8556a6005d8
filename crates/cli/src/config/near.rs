//! Near misses.

/// The known name that `written` was probably meant to be.
pub(crate) fn closest<'k>(written: &str, known: &[&'k str]) -> Option<&'k str> {
    let plain = |text: &str| text.to_ascii_lowercase().replace('-', "_");
    let written = plain(written);
    let distances = known.iter().map(|name| (distance(&written, &plain(name)), *name));
    let (distance, name) = distances.min_by_key(|(distance, _)| *distance)?;
    // A third of the letters may be wrong; more is another word.
    (distance <= 1 + name.len() / 4).then_some(name)
}

/// Letters to insert, remove, replace or swap with their neighbour (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut table = vec![vec![0_usize; b.len() + 1]; a.len() + 1];
    for (i, row) in table.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in table[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let replaced = table[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(table[i - 1][j] + 1).min(table[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(table[i - 2][j - 2] + 1);
            }
            table[i][j] = best;
        }
    }
    table[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_recognised_and_another_word_is_not() {
        let known = ["mode", "transports", "origins", "access_ttl"];
        for (written, meant) in [
            ("mdoe", Some("mode")),
            ("transport", Some("transports")),
            ("access-ttl", Some("access_ttl")),
            ("Origins", Some("origins")),
            ("secret", None),
            ("", None),
        ] {
            assert_eq!(closest(written, &known), meant, "{written}");
        }
    }
}
