//! Values of TXT records: a text, which Route 53 takes in quotes and in pieces of 255 bytes.
//!
//! <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/ResourceRecordTypes.html#TXTFormat>

/// A piece's longest, in bytes.
const PIECE: usize = 255;

/// The text as Route 53 takes it.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::new();
    let bytes = text.as_bytes();
    for piece in bytes.chunks(PIECE) {
        out.push_str(if out.is_empty() { "\"" } else { " \"" });
        for &byte in piece {
            match byte {
                b'"' | b'\\' => out.extend(['\\', char::from(byte)]),
                b' '..=b'~' => out.push(char::from(byte)),
                _ => out.push_str(&format!("\\{byte:03o}")),
            }
        }
        out.push('"');
    }
    if out.is_empty() { "\"\"".to_owned() } else { out }
}

/// The text that such a value holds. What is in no quotes stays as it is.
pub(crate) fn observed(value: &str) -> String {
    if !value.starts_with('"') {
        return value.to_owned();
    }
    let (mut bytes, mut within) = (Vec::new(), false);
    let mut rest = value.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, rest) {
            (b'"', _) => within = !within,
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..]) if within => {
                bytes.push((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'));
                rest = after;
            }
            (b'\\', [escaped, after @ ..]) if within => {
                bytes.push(*escaped);
                rest = after;
            }
            (other, _) if within => bytes.push(*other),
            _ => {}
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_survive_their_quotes() {
        let long = "k=".to_owned() + &"x".repeat(600);
        for text in ["", "v=spf1 -all", r#"a "b" \c"#, "grüße\n", &long] {
            assert_eq!(observed(&quoted(text)), text);
        }
        assert_eq!(quoted(&"x".repeat(256)).split("\" \"").count(), 2);
        assert_eq!(observed(r#""a" "b""#), "ab");
        assert_eq!(observed("bare"), "bare");
    }
}
