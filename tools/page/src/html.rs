//! Conversion of text to HTML.

/// Escapes a text.
pub fn text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Escapes a text and marks up its `code`.
pub fn line(source: &str) -> String {
    let parts = text(source.trim());
    let parts = parts.split('`').enumerate();
    let marked = parts
        .map(|(n, part)| if n % 2 == 1 { format!("<code>{part}</code>") } else { part.to_owned() });
    marked.collect()
}

/// Returns a text as paragraphs, separated by its empty lines.
pub fn prose(source: &str) -> String {
    let paragraphs = source.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty());
    paragraphs.map(|paragraph| format!("<p>{}</p>\n", line(paragraph))).collect::<Vec<_>>().concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_marked_up_and_everything_else_is_escaped() {
        assert_eq!(
            line("`a` < \"b\" & `<c>`"),
            "<code>a</code> &lt; &quot;b&quot; &amp; <code>&lt;c&gt;</code>"
        );
    }

    #[test]
    fn empty_lines_separate_paragraphs() {
        assert_eq!(prose("one\ntwo\n\nthree\n"), "<p>one\ntwo</p>\n<p>three</p>\n");
        assert_eq!(prose(""), "");
    }
}
