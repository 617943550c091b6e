//! Names of zones and records: as definitions write them, and as Route 53 answers them.
//!
//! Definitions write them absolute, in lower case, without the dot at the end. Route 53 answers them with it, and what is not a
//! letter, a digit, `-` or `_` as three octal digits: `\052.example.com.`
//! (<https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html>).

/// The name of an answer, as definitions write it.
pub(crate) fn observed(name: &str) -> String {
    let name = name.strip_suffix('.').unwrap_or(name);
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let [first, tail @ ..] = rest {
        let octal = match rest {
            [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] => {
                Some((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'))
            }
            _ => None,
        };
        bytes.push(octal.unwrap_or(*first));
        rest = if octal.is_some() { rest.get(4..).unwrap_or_default() } else { tail };
    }
    String::from_utf8_lossy(&bytes).to_lowercase()
}

/// What is wrong with a name in a definition, and what would be right.
pub(crate) fn problem(name: &str) -> Option<String> {
    let right = name.trim_end_matches('.').to_lowercase();
    if name != right {
        let name = name.escape_debug();
        return Some(format!("`{name}` is not in the form that compares; write `{}`", right.escape_debug()));
    }
    let label = |label: &str| !label.is_empty() && label.len() <= 63;
    let good = (1..=255).contains(&name.len()) && name.split('.').all(label);
    let good = good && name.bytes().all(|b| b.is_ascii_graphic());
    (!good).then(|| {
        format!("`{}` is not a name: write labels of 1 to 63 characters, as `www.example.com`", name.escape_debug())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_the_servers_spelling() {
        assert_eq!(observed("\\052.Example.com."), "*.example.com");
        assert_eq!(observed("_dmarc.example.com"), "_dmarc.example.com");
        assert_eq!(observed("0\\05725.2.0.192.in-addr.arpa."), "0/25.2.0.192.in-addr.arpa");
        assert_eq!(observed("odd\\9"), "odd\\9");
        assert!(problem("Example.com.").unwrap().contains("write `example.com`"));
        assert!(problem("a..b").is_some() && problem("").is_some() && problem("a b").is_some());
        assert_eq!(problem("*.example.com"), None);
    }
}
