//! Templates of operators: checked, and refused with a place; what is taken makes a text in its bounds.

use crate::harness::{fuzz, text};
use stentor::domain::delivery::Format;
use stentor::domain::level::Level;
use stentor::message::sample::Sample;
use stentor::message::{Author, Form, Template, render_by};

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
        for form in [Form::Raw, Form::Plain, Form::Html, Form::Body] {
            match Template::compile(form, &text) {
                Err(problem) => assert!(!problem.message.is_empty(), "refused without a word"),
                Ok(template) => {
                    let sample = Sample::of("incident.opened", Level::High);
                    let made = render_by(&Author::Body(&template), Format::Document, &sample.context());
                    assert!(made.rendered.text.len() <= 256 * 1024, "without a bound");
                }
            }
        }
    });
}
