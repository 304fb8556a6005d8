//! What a login is made from, told so that a person recognises it and little more is kept.

use std::net::IpAddr;

use misario_core::session::Device;

/// The longest label, in octets.
const MAX_LABEL: usize = 120;

/// A short description of the user agent, and the network of the address.
pub(crate) fn describe(user_agent: &str, address: Option<IpAddr>) -> Device {
    Device { label: label(user_agent), network: address.map(network).unwrap_or_default() }
}

fn label(user_agent: &str) -> String {
    let browser = [
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ]
    .into_iter()
    .find_map(|(mark, name)| user_agent.contains(mark).then_some(name));
    let system = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ]
    .into_iter()
    .find_map(|(mark, name)| user_agent.contains(mark).then_some(name));
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        // Printable ASCII only: the label is shown to people and printed on terminals.
        (None, None) => user_agent.chars().filter(|c| (' '..='~').contains(c)).take(MAX_LABEL).collect(),
    }
}

fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(v6) => {
            let [a, b, c, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}::/48")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_recognised_and_an_address_is_reduced() {
        let agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36";
        let device = describe(agent, Some("203.0.113.77".parse().unwrap()));
        assert_eq!((device.label.as_str(), device.network.as_str()), ("Chrome on Linux", "203.0.113.0/24"));
        assert_eq!(describe("", Some("2001:db8:1:2::3".parse().unwrap())).network, "2001:db8:1::/48");
    }

    #[test]
    fn a_hostile_user_agent_is_short_and_plain() {
        let hostile = format!("\u{1b}[31m\r\nx{}", "y".repeat(10_000));
        let label = describe(&hostile, None).label;
        assert!(label.len() <= MAX_LABEL && label.starts_with("[31mx"));
    }
}
