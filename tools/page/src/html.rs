//! Text as HTML.

/// As it is, whatever it holds.
pub fn text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// In one line, with its `code` marked.
pub fn line(words: &str) -> String {
    let parts = text(words.trim());
    let parts = parts.split('`').enumerate();
    let marked = parts
        .map(|(n, part)| if n % 2 == 1 { format!("<code>{part}</code>") } else { part.to_owned() });
    marked.collect()
}

/// In paragraphs, which empty lines part.
pub fn prose(words: &str) -> String {
    let paragraphs = words.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty());
    paragraphs.map(|paragraph| format!("<p>{}</p>\n", line(paragraph))).collect::<Vec<_>>().concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_marked_and_markup_is_not() {
        assert_eq!(
            line("`a` < \"b\" & `<c>`"),
            "<code>a</code> &lt; &quot;b&quot; &amp; <code>&lt;c&gt;</code>"
        );
    }

    #[test]
    fn empty_lines_part_paragraphs() {
        assert_eq!(prose("one\ntwo\n\nthree\n"), "<p>one\ntwo</p>\n<p>three</p>\n");
        assert_eq!(prose(""), "");
    }
}
