//! The one style sheet, under a path that changes with its content, so that browsers may keep it for good.

/// The style sheet (`text/css; charset=utf-8`). It holds nothing of anybody: it may be cached as `public, immutable`.
pub(crate) const STYLE: &str = include_str!("style.css");

/// The path to serve [`STYLE`] at: `/assets/style.{hash}.css`.
pub(crate) const STYLE_ROUTE: &str = match std::str::from_utf8(&ROUTE) {
    Ok(route) => route,
    // The octets below are ASCII.
    Err(_) => "/assets/style.css",
};

const TEMPLATE: &[u8; 34] = b"/assets/style.0000000000000000.css";

const ROUTE: [u8; TEMPLATE.len()] = {
    let mut route = *TEMPLATE;
    let digits = b"0123456789abcdef";
    let (mut rest, mut at) = (fingerprint(STYLE.as_bytes()), 30);
    while at > 14 {
        at -= 1;
        route[at] = digits[(rest & 15) as usize];
        rest >>= 4;
    }
    route
};

/// FNV-1a, 64 bits. It names a version of our own file; nobody gains anything by a collision.
const fn fingerprint(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0100_0000_01b3);
        at += 1;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_changes_with_the_content() {
        assert_eq!(fingerprint(b"foobar"), 0x8594_4171_f739_67e8, "the published FNV-1a vector");
        let expected = format!("/assets/style.{:016x}.css", fingerprint(STYLE.as_bytes()));
        assert_eq!(STYLE_ROUTE, expected);
    }

    #[test]
    fn the_style_sheet_loads_nothing() {
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
    }

    #[test]
    fn text_stands_out_from_its_background() {
        let (light, dark) = STYLE.split_once("prefers-color-scheme: dark").unwrap();
        for (scheme, css) in [("light", light), ("dark", dark)] {
            for (text, ground, least) in [
                ("text", "page", 4.5),
                ("text", "card", 4.5),
                ("muted", "page", 4.5),
                ("muted", "card", 4.5),
                ("accent", "card", 4.5),
                ("accent", "page", 4.5),
                ("on-accent", "accent", 4.5),
                ("on-accent", "accent-strong", 4.5),
                ("bad", "bad-ground", 4.5),
                ("bad", "card", 4.5),
                ("text", "code", 4.5),
                ("field", "card", 3.0),
                ("accent", "code", 3.0),
            ] {
                let ratio = contrast(colour(css, text), colour(css, ground));
                assert!(ratio >= least, "{scheme}: --{text} on --{ground} has {ratio:.2}, less than {least}");
            }
        }
    }

    fn colour(css: &str, name: &str) -> [f64; 3] {
        let (_, rest) = css.split_once(&format!("--{name}: #")).unwrap_or_else(|| panic!("no --{name}"));
        [0, 2, 4].map(|at| f64::from(u8::from_str_radix(&rest[at..at + 2], 16).unwrap()) / 255.0)
    }

    /// WCAG 2.2, "contrast ratio".
    fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
        let luminance = |rgb: [f64; 3]| {
            let linear = rgb.map(|c| if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) });
            0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        };
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }
}
