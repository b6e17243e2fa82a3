//! Parameters: values, defaults and checks.

use super::super::{Parameter, ParameterType};
use super::{refusal, resolve, resolve_with, with_variables};

/// A template with one parameter, `Size`, which the variable `SIZE` has.
fn with_parameter(declaration: &str) -> String {
    with_variables("SIZE: !Ref Size", &format!("Parameters: {{ Size: {{ {declaration} }} }}"))
}

#[test]
fn a_given_value_comes_before_the_default() {
    let text = with_parameter("Type: Number, Default: 5, Description: How large");
    let default = resolve(&text);
    assert_eq!(default.functions[0].environment["SIZE"], "5");
    let given = resolve_with(&text, &[("Size", "7")]).expect("7 is a number");
    assert_eq!(given.functions[0].environment["SIZE"], "7");
    let size = Parameter {
        name: "Size".into(),
        kind: ParameterType::Number,
        value: "7".into(),
        description: "How large".into(),
    };
    assert_eq!(given.parameters, [size]);
}

#[test]
fn a_parameter_without_default_needs_a_value() {
    let text = with_parameter("Type: String");
    assert_eq!(refusal(&text), "parameter `Size`: has no default: a value is required");
    resolve_with(&text, &[("Size", "")]).expect("an empty value is a value");
}

#[test]
fn an_unknown_parameter_is_refused_with_the_known_ones() {
    let text = with_parameter("Type: String, Default: small");
    let error = resolve_with(&text, &[("Sise", "large")]).expect_err("no such parameter");
    assert_eq!(error.to_string(), "parameter `Sise`: unknown; known are Size");
}

#[test]
fn a_value_that_is_not_allowed_is_refused_with_what_is_allowed() {
    for (declaration, good, bad, reason) in [
        ("Type: String, AllowedValues: [s, m, 3]", "3", "l", "must be one of: s, m, 3"),
        ("Type: String, AllowedPattern: 'a|b'", "b", "ab", "must match `a|b`"),
        ("Type: String, AllowedPattern: 'a|b'", "a", "b\n", "must match `a|b`"),
        ("Type: Number, MinValue: 1, MaxValue: 9", "9", "10", "must be a number from 1 to 9"),
        ("Type: Number, MinValue: 1, MaxValue: 9", "1", "0", "must be a number from 1 to 9"),
        ("Type: Number, MinValue: 1", "1", "-1", "must be a number of at least 1"),
        ("Type: Number, MaxValue: 9", "-1", "9.5", "must be a number of at most 9"),
        ("Type: Number", "1.5", "1e3", "must be a number"),
        ("Type: Number", "0", "inf", "must be a number"),
        ("Type: Number", "0", "", "must be a number"),
        ("Type: Number, AllowedValues: [1, 3]", "3", "2", "must be one of: 1, 3"),
        ("Type: CommaDelimitedList, AllowedValues: [s, m]", "s, m", "s,l", "must be one of: s, m"),
    ] {
        let text = with_variables("", &format!("Parameters: {{ Size: {{ {declaration} }} }}"));
        resolve_with(&text, &[("Size", good)]).expect(declaration);
        let error = resolve_with(&text, &[("Size", bad)]).expect_err(declaration);
        assert_eq!(error.to_string(), format!("parameter `Size`: {reason}"), "{declaration}");
    }
}

#[test]
fn a_default_is_checked_too() {
    let text = with_parameter("Type: Number, MinValue: 1, Default: 0");
    assert_eq!(refusal(&text), "parameter `Size`: must be a number of at least 1");
}

#[test]
fn an_unknown_member_or_type_of_a_parameter_is_refused_by_name() {
    let error = refusal(&with_parameter("Type: String, MinLength: 1"));
    assert!(error.starts_with("Parameters.Size.MinLength: unknown field `MinLength`"), "{error}");
    let error = refusal(&with_parameter("Type: Text"));
    assert!(error.starts_with("Parameters.Size.Type: unknown variant `Text`"), "{error}");
}
