use std::fmt::{Debug, Display};

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::*;
use crate::{
    http::{self, ApiError},
    validated::Bounded,
};

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Circle {
    radius: Bounded<1, 9>,
    #[serde(default)]
    at: Option<Place>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    x: i64,
    #[serde(default)]
    side: Option<Side>,
    #[serde(default)]
    marks: Vec<bool>,
    #[serde(default)]
    height: f64,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Side {
    Left,
    Right,
}

#[derive(Debug, PartialEq)]
enum Shape {
    Point(Option<String>),
    Circle(Option<String>, Circle),
}

impl FromJson for Shape {
    fn from_json(value: Value<'_>) -> Result<Self, FieldError> {
        let mut shape = Object::read(value)?;
        let (kind, name) = (shape.kind()?, shape.take("name")?);
        match kind.as_str() {
            "point" => shape.finish().map(|()| Self::Point(name)),
            "circle" => Ok(Self::Circle(name, shape.rest()?)),
            _ => Err(Object::unknown_kind(&kind, &["point", "circle"])),
        }
    }
}

#[derive(Debug)]
struct Drawing {
    _shape: Shape,
}

impl FromJson for Drawing {
    fn from_json(value: Value<'_>) -> Result<Self, FieldError> {
        let mut drawing = Object::read(value)?;
        let shape = drawing.require("shape")?;
        drawing.finish().map(|()| Self { _shape: shape })
    }
}

/// The error for a request body.
fn refused<T: FromJson + Debug>(json: impl Display) -> ApiError {
    let json = json.to_string();
    http::body::<T>(&http::Request::new(json.clone().into())).expect_err(&json)
}

#[test]
fn the_type_determines_the_other_members() {
    let point = parse(r#"{"name":"a","type":"point"}"#);
    assert_eq!(point, Ok(Shape::Point(Some("a".to_owned()))));
    let place = Place { x: 1, side: Some(Side::Left), marks: vec![true], height: 0.5 };
    let circle = Circle { radius: Bounded::literal::<3>(), at: Some(place) };
    let json = r#"{"type":"circle","radius":3,
        "at":{"x":1,"side":"left","marks":[true],"height":0.5}}"#;
    assert_eq!(parse(json), Ok(Shape::Circle(None, circle)));
    assert_eq!(
        parse(r#"{"type":"circle","radius":9,"at":null}"#),
        Ok(Shape::Circle(None, Circle { radius: Bounded::literal::<9>(), at: None }))
    );
}

#[test]
fn an_error_names_its_field_with_its_path_and_says_in_words_what_is_wrong() {
    let at = |at: &str| format!(r#"{{"type":"circle","radius":1,"at":{at}}}"#);
    for (json, field, problem) in [
        ("{}".to_owned(), "type", "is required"),
        (r#"{"type":1}"#.to_owned(), "type", "must be a string"),
        (r#"{"type":"cube"}"#.to_owned(), "type", "must be `point` or `circle`, not `cube`"),
        (
            r#"{"type":"cube at line 5"}"#.to_owned(),
            "type",
            "must be `point` or `circle`, not `cube at line 5`",
        ),
        (r#"{"type":"point","type":"point"}"#.to_owned(), "type", "must be given once"),
        (r#"{"type":"point","name":7}"#.to_owned(), "name", "must be a string"),
        (r#"{"type":"point","name":null}"#.to_owned(), "name", "must be a string"),
        (r#"{"type":"point","x":1}"#.to_owned(), "x", "is unknown: expected `type` or `name`"),
        (r#"{"type":"circle"}"#.to_owned(), "radius", "is required"),
        (r#"{"type":"circle","radius":0}"#.to_owned(), "radius", "must be between 1 and 9"),
        (
            r#"{"type":"circle","radius":761591733749525123177}"#.to_owned(),
            "radius",
            "must be between 1 and 9",
        ),
        (
            format!(r#"{{"type":"circle","radius":-{}}}"#, "9".repeat(60)),
            "radius",
            "must be between 1 and 9",
        ),
        (r#"{"type":"circle","radius":1e400}"#.to_owned(), "radius", "must be an integer"),
        (r#"{"type":"circle","radius":1.0}"#.to_owned(), "radius", "must be an integer"),
        (r#"{"type":"circle","radius":"1"}"#.to_owned(), "radius", "must be an integer"),
        (r#"{"type":"circle","radius":1,"radius":1}"#.to_owned(), "radius", "must be given once"),
        (
            r#"{"type":"circle","radius":1,"hue":1}"#.to_owned(),
            "hue",
            "is unknown: expected `radius` or `at`",
        ),
        (
            r#"{"type":"circle","radius":1,"a`b":{"a":1}}"#.to_owned(),
            "a`b",
            "is unknown: expected `radius` or `at`",
        ),
        (
            r#"{"type":"circle","radius":1,"a`b":{"c":1,"c":1}}"#.to_owned(),
            "a`b.c",
            "must be given once",
        ),
        (at("[]"), "at", "must be an object"),
        (at("{}"), "at.x", "is required"),
        (at(r#"{"x":[{"y":{"z":1,"z":2}}]}"#), "at.x[0].y.z", "must be given once"),
        (at(r#"{"x":1,"side":"top"}"#), "at.side", "must be `left` or `right`, not `top`"),
        (at(r#"{"x":1,"side":2}"#), "at.side", "must be `left` or `right`"),
        (at(r#"{"x":1,"marks":[true,0]}"#), "at.marks[1]", "must be true or false"),
        (at(r#"{"x":1,"marks":{}}"#), "at.marks", "must be an array"),
        (at(r#"{"x":1,"height":"2"}"#), "at.height", "must be a number"),
        (at(r#"{"x":1,"height":1e400}"#), "at.height", "must be a number"),
        (at(r#"{"x":"\ud800"}"#), "at.x", "must be a string of Unicode characters"),
        (at(r#"{"\ud800":1}"#), "at", "must have names of Unicode characters"),
    ] {
        assert_eq!(refused::<Shape>(&json), ApiError::invalid(field, problem), "{json}");
        let nested = format!(r#"{{"shape":{json}}}"#);
        assert_eq!(
            refused::<Drawing>(&nested),
            ApiError::invalid(&format!("shape.{field}"), problem),
            "{nested}"
        );
    }
}

#[test]
fn a_value_of_another_type_is_an_error_of_the_whole() {
    for given in ["[]", r#""circle""#, "null", "1", "true"] {
        let json = format!(r#"{{"shape":{given}}}"#);
        let expected = ApiError::invalid("shape", "must be an object");
        assert_eq!(refused::<Drawing>(&json), expected, "{json}");
        assert_eq!(refused::<Shape>(given), ApiError::invalid("body", "must be a JSON object"));
    }
    assert_eq!(refused::<Drawing>("{}"), ApiError::invalid("shape", "is required"));
    let unknown = refused::<Drawing>(r#"{"shape":{"type":"point"},"hue":1}"#);
    assert_eq!(unknown, ApiError::invalid("hue", "is unknown: expected `shape`"));
}

#[test]
fn a_body_is_one_object_of_valid_json() {
    for (body, problem) in [
        ("", "a JSON object is required"),
        (" \n", "a JSON object is required"),
        ("{} {}", "must be one JSON value and no more"),
        ("{\"a\":1,}", "invalid JSON: key must be a string at line 1 column 8"),
        ("{/**/}", "invalid JSON: key must be a string at line 1 column 2"),
        ("{\"a\":NaN}", "invalid JSON: expected value at line 1 column 6"),
        ("{\"a\":01}", "invalid JSON: invalid number at line 1 column 7"),
    ] {
        assert_eq!(refused::<Shape>(body), ApiError::invalid("body", problem), "{body}");
    }
    let not_utf_8 = http::Request::new(b"{\"name\":\"caf\xe9\"}".to_vec().into());
    assert!(http::body::<Shape>(&not_utf_8).is_err());
}

#[test]
fn the_depth_of_a_body_is_limited() {
    let nested = |levels: usize| {
        format!("{}{}", r#"{"a":"#.repeat(levels), "1".to_owned()) + &"}".repeat(levels)
    };
    assert!(document(nested(64).as_bytes()).is_ok());
    let error = document(nested(65).as_bytes()).expect_err("too deep");
    assert_eq!(error.problem(), "must not be nested deeper than 64 levels");
    let arrays = format!(r#"{{"a":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert!(document(arrays.as_bytes()).is_err());
}

#[test]
fn an_error_repeats_long_texts_in_part() {
    let long = "x".repeat(5_000);
    let error = refused::<Shape>(format!(r#"{{"type":"{long}"}}"#));
    assert!(format!("{error:?}").len() < 500, "{error:?}");
    let error = refused::<Drawing>(format!(r#"{{"{long}":{{"{long}":1,"{long}":1}}}}"#));
    assert!(format!("{error:?}").len() < 1_000, "{error:?}");
}

/// A JSON value in which members may be given twice, and whether one is.
fn json() -> impl Strategy<Value = (String, bool)> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,5})?([eE][+-]?[0-9]{1,4})?",
        any::<String>().prop_map(|text| serde_json::to_string(&text).expect("JSON")),
    ];
    leaf.prop_map(|leaf| (leaf, false)).prop_recursive(4, 32, 4, |inner| {
        let arrays = prop::collection::vec(inner.clone(), 0..4).prop_map(|elements| {
            let texts: Vec<_> = elements.iter().map(|(text, _)| text.as_str()).collect();
            (format!("[{}]", texts.join(" , ")), elements.iter().any(|(_, twice)| *twice))
        });
        let names = prop_oneof![Just("a".to_owned()), Just("\\u0061".to_owned()), "[b-e]"];
        let objects = prop::collection::vec((names, inner), 0..4).prop_map(|members| {
            let texts: Vec<_> =
                members.iter().map(|(name, (text, _))| format!("\"{name}\": {text}")).collect();
            let mut names: Vec<_> =
                members.iter().map(|(name, _)| name.replace("\\u0061", "a")).collect();
            names.sort();
            names.dedup();
            let twice = names.len() < members.len();
            (
                format!("{{ {} }}", texts.join(",")),
                twice || members.iter().any(|(_, (_, twice))| *twice),
            )
        });
        prop_oneof![arrays, objects]
    })
}

/// A value as it is, to see what is passed on.
#[derive(Serialize)]
struct Passed<'a> {
    value: Value<'a>,
}

proptest! {
    #[test]
    fn members_given_twice_are_refused_at_every_depth_and_no_others((value, twice) in json()) {
        let body = format!(r#"{{"value":{value}}}"#);
        let read = document(body.as_bytes());
        prop_assert_eq!(read.is_err(), twice, "{}: {:?}", body, read);
    }

    #[test]
    fn what_is_passed_on_is_the_same_byte_for_byte((value, _) in json()) {
        let value_read = Value::parse(value.as_bytes()).expect("JSON");
        let passed = serde_json::to_string(&Passed { value: value_read }).expect("JSON");
        prop_assert_eq!(passed, format!(r#"{{"value":{value}}}"#));
    }

    #[test]
    fn no_body_panics(body in prop::collection::vec(any::<u8>(), 0..64)) {
        let request = http::Request::new(body.into());
        let _ = http::body::<Shape>(&request);
    }

    #[test]
    fn no_body_of_json_panics((value, _) in json(), kind in "point|circle") {
        let body = format!(r#"{{"type":"{kind}","radius":{value},"at":{value}}}"#);
        let _ = http::body::<Shape>(&http::Request::new(body.into()));
    }
}
