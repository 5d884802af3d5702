/// Turns transformers' `{% generation %}` blocks, which mark the assistant's text, into blocks that
/// every Jinja engine knows; they change nothing in the rendered text.
pub(crate) fn without_generation_blocks(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(at) = rest.find("{%") {
        let (text, tag) = rest.split_at(at);
        out.push_str(text);
        let Some(end) = tag.find("%}") else {
            rest = tag;
            break;
        };
        let inner = &tag[2..end];
        let word = inner.trim_matches(|c: char| c == '-' || c == '+' || c.is_whitespace());
        // `with` opens a scope, as the original does.
        let replacement = match word {
            "generation" => Some("with"),
            "endgeneration" => Some("endwith"),
            _ => None,
        };
        let (tag, after) = tag.split_at(end + 2);
        match replacement {
            Some(name) => out.push_str(&tag.replacen(word, name, 1)),
            None => out.push_str(tag),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_those_tags_change() {
        let check = |source: &str, want: &str| assert_eq!(without_generation_blocks(source), want);
        check("a{%- generation -%}b{% endgeneration +%}c", "a{%- with -%}b{% endwith +%}c");
        check(
            "{% if generation %}generation{% endif %}",
            "{% if generation %}generation{% endif %}",
        );
        check("{{ generation }} {% generation", "{{ generation }} {% generation");
        check("", "");
    }
}
