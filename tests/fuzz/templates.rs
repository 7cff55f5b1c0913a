//! Templates of operators: checked, and refused with a place.

use crate::harness::{fuzz, text};
use stentor::message::{Form, Template};

#[test]
fn templates() {
    let seeds: [&[u8]; 5] = [
        b"{{ level | upper }} #{{ number }} {{ subject }}",
        b"{% for name, value in labels | items %}{{ name }}={{ value }} {% endfor %}",
        b"{% if level == \"urgent\" %}!{% else %}.{% endif %}{{ body | tojson }}",
        b"{% macro m(x) %}{{ m(x) }}{% endmacro %}{{ m(1) }}",
        b"{% for a in range(1000000) %}{% for b in range(1000000) %}x{% endfor %}{% endfor %}",
    ];
    fuzz("template", &seeds, |bytes| {
        let text = text(bytes);
        if let Err(problem) = Template::compile(Form::Body, &text) {
            assert!(!problem.message.is_empty(), "refused without a word");
        }
    });
}
