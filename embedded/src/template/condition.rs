//! Conditions. They depend on parameters only.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    TemplateError,
    place::Place,
    scalar::text,
    scope::{Scope, intrinsic},
};

/// Returns whether each condition holds. The scope has no conditions and no resources.
pub(super) fn evaluate(
    conditions: &BTreeMap<String, Value>,
    scope: &Scope<'_>,
) -> Result<BTreeMap<String, bool>, TemplateError> {
    let section = Place::section("Conditions");
    let conditions = conditions.iter().map(|(name, condition)| {
        let holds = holds(condition, scope, &section.member(name))?;
        Ok((name.clone(), holds))
    });
    conditions.collect()
}

fn holds(condition: &Value, scope: &Scope<'_>, place: &Place<'_>) -> Result<bool, TemplateError> {
    let members = condition.as_object().ok_or_else(|| place.invalid("must be a function"))?;
    let (function, argument) =
        intrinsic(members, place)?.ok_or_else(|| place.invalid("must be a function"))?;
    let within = place.member(function);
    let arguments =
        argument.as_array().ok_or_else(|| within.invalid("the argument must be a list"))?;
    let each = || {
        let arguments = arguments.iter().enumerate();
        arguments.map(|(index, argument)| holds(argument, scope, &within.item(index)))
    };
    match (function, &arguments[..]) {
        ("Fn::Equals", [left, right]) => {
            let left = scope.resolve(left, &within.item(0))?;
            let right = scope.resolve(right, &within.item(1))?;
            Ok(equal(left.as_ref(), right.as_ref()))
        }
        ("Fn::Not", [condition]) => Ok(!holds(condition, scope, &within.item(0))?),
        ("Fn::And", [_, ..]) => each().try_fold(true, |all, holds| Ok(holds? && all)),
        ("Fn::Or", [_, ..]) => each().try_fold(false, |any, holds| Ok(holds? || any)),
        ("Fn::Equals" | "Fn::Not" | "Fn::And" | "Fn::Or", _) => {
            Err(within.invalid("wrong number of arguments"))
        }
        _ => Err(place.invalid(format!("`{function}` is not supported in a condition"))),
    }
}

/// Compares two values. Scalars are compared as texts: the value of a parameter is one.
fn equal(left: Option<&Value>, right: Option<&Value>) -> bool {
    match (left.and_then(text), right.and_then(text)) {
        (Some(left), Some(right)) => left == right,
        _ => left == right,
    }
}
