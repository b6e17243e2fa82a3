//! Bodies: one JSON object in which no member is given twice.

use std::collections::HashSet;

use super::{FieldError, Value};

/// How deep arrays and objects may be nested. Each level is read once more, so this also bounds the
/// time that a body takes.
const MAX_DEPTH: usize = 64;

/// Checks a body and returns its object.
pub fn document(body: &[u8]) -> Result<Value<'_>, FieldError> {
    match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => return Err(FieldError::new("", "a JSON object is required")),
        Some(b'{') => {}
        Some(_) => return Err(FieldError::new("", "must be a JSON object")),
    }
    let value = Value::parse(body)?;
    check(value, MAX_DEPTH)?;
    Ok(value)
}

/// Checks that no object in a value has a member twice, and that all texts are Unicode.
fn check(value: Value<'_>, depth: usize) -> Result<(), FieldError> {
    let nested = depth.checked_sub(1);
    let nested =
        || nested.ok_or_else(|| FieldError::new("", "must not be nested deeper than 64 levels"));
    if value.is_object() {
        let depth = nested()?;
        let mut names = HashSet::new();
        for (name, member) in value.members()? {
            check(member, depth).map_err(|error| error.within(&name))?;
            if let Some(name) = names.replace(name) {
                return Err(FieldError::new("", "must be given once").within(&name));
            }
        }
    } else if value.is_array() {
        let depth = nested()?;
        for (index, element) in value.elements()?.into_iter().enumerate() {
            check(element, depth).map_err(|error| error.within(&format!("[{index}]")))?;
        }
    } else if value.is_string() {
        value.text()?;
    }
    Ok(())
}
