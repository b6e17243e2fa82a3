//! YAML, intrinsic functions and conditions.

use serde_json::json;

use super::super::{Template, yaml};
use super::{refusal, resolve, resolve_with, with_variables};

/// Returns what the value of a variable resolves to.
fn value(expression: &str, more: &str) -> String {
    resolve(&with_variables(&format!("X: {expression}"), more)).functions[0].environment["X"]
        .clone()
}

const TABLE: &str = "
  Orders:
    Type: AWS::DynamoDB::Table
    Properties: { AttributeDefinitions: [], KeySchema: [] }";

#[test]
fn tags_have_the_long_form_of_their_functions() {
    let text = "
- !Ref Orders
- !GetAtt Orders.Arn.Rest
- !If [Large, !Sub '${A}/x', [1, -1, 1.5, true, null, '1']]
- !Sub >
    folded
    ${A}
- !!str 5
";
    let expected = json!([
        { "Ref": "Orders" },
        { "Fn::GetAtt": ["Orders", "Arn.Rest"] },
        { "Fn::If": ["Large", { "Fn::Sub": "${A}/x" }, [1, -1, 1.5, true, null, "1"]] },
        { "Fn::Sub": "folded ${A}\n" },
        "5",
    ]);
    assert_eq!(yaml::parse(text).expect("YAML"), expected);
}

#[test]
fn what_is_not_yaml_or_repeats_a_member_is_refused() {
    for text in ["Resources: [", "Resources: {}\nResources: {}", "Resources: !GetAtt Orders"] {
        let error = Template::parse(text).expect_err(text).to_string();
        assert!(error.starts_with("invalid YAML: "), "{error}");
    }
    let error = Template::parse("Parameters: {}").expect_err("no resources").to_string();
    assert_eq!(error, "template: missing field `Resources`");
    let error = Template::parse("Resources: {}\nMappings: {}").expect_err("unknown section");
    assert!(error.to_string().starts_with("Mappings: unknown field"), "{error}");
}

#[test]
fn a_reference_is_a_parameter_a_pseudo_parameter_or_a_resource() {
    assert_eq!(value("!Ref Size", "Parameters: { Size: { Type: String, Default: m } }"), "m");
    assert_eq!(value("!Ref AWS::StackName", ""), "stack");
    assert_eq!(value("!Ref Orders", TABLE), "Orders-name");
}

#[test]
fn an_attribute_is_the_one_that_the_names_say() {
    let secret = "
  Key:
    Type: AWS::SecretsManager::Secret
    Properties: { GenerateSecretString: {} }";
    assert_eq!(value("!GetAtt Key.Id", secret), "Key-secret");
}

#[test]
fn a_text_is_substituted() {
    let more = format!("{TABLE}\nParameters: {{ Size: {{ Type: Number, Default: 5 }} }}");
    for (expression, expected) in [
        ("!Sub '${Size} of ${Orders} in ${AWS::Region}.'", "5 of Orders-name in eu-west-1."),
        ("!Sub '${!Size} $Size {}'", "${Size} $Size {}"),
        ("!Sub ['${A}-${Size}', { A: !Ref Orders }]", "Orders-name-5"),
    ] {
        assert_eq!(value(expression, &more), expected, "{expression}");
    }
}

#[test]
fn only_the_chosen_value_is_resolved() {
    let more = "Conditions: { Large: !Equals [a, a], Small: !Equals [a, b] }";
    assert_eq!(value("!If [Large, chosen, !Ref Missing]", more), "chosen");
    assert_eq!(value("!If [Small, !Ref Missing, chosen]", more), "chosen");
}

#[test]
fn no_value_removes_its_member() {
    let text = with_variables(
        "X: !If [Small, x, !Ref AWS::NoValue], Y: y",
        "Conditions: { Small: !Not [!Equals [a, a]] }",
    );
    let names: Vec<_> = resolve(&text).functions[0].environment.keys().cloned().collect();
    assert_eq!(names, ["Y"]);
}

#[test]
fn conditions_compare_parameters_with_texts_and_numbers() {
    for (condition, expected) in [
        ("!Equals [!Ref Size, 0]", true),
        ("!Equals [!Ref Size, '0']", true),
        ("!Equals [!Ref Size, 1]", false),
        ("!Not [!Equals [!Ref Size, 0]]", false),
        ("!And [!Equals [a, a], !Equals [b, b]]", true),
        ("!And [!Equals [a, a], !Equals [a, b]]", false),
        ("!Or [!Equals [a, b], !Equals [b, b]]", true),
        ("!Or [!Equals [a, b], !Equals [a, c]]", false),
    ] {
        let more = format!(
            "Parameters: {{ Size: {{ Type: Number, Default: 0 }} }}\n\
             Conditions: {{ Holds: {condition} }}"
        );
        let holds = value("!If [Holds, 'true', 'false']", &more);
        assert_eq!(holds, expected.to_string(), "{condition}");
    }
}

#[test]
fn a_resource_whose_condition_is_false_is_left_out() {
    let text = |variable: &str| {
        with_variables(
            variable,
            "
  Orders:
    Type: AWS::DynamoDB::Table
    Condition: HasOrders
    Properties: { AttributeDefinitions: [], KeySchema: [] }
Parameters: { Choice: { Type: String, Default: none } }
Conditions: { HasOrders: !Equals [!Ref Choice, some] }",
        )
    };
    let (without, with) = (text("X: x"), text("X: !Ref Orders"));
    assert_eq!(resolve(&without).tables, []);
    assert_eq!(
        refusal(&with),
        "Resources.Work.Properties.Environment.Variables.X.Ref: \
         the condition of `Orders` is false"
    );
    let stack = resolve_with(&with, &[("Choice", "some")]).expect("the table is there");
    assert_eq!(stack.tables.len(), 1);
}

#[test]
fn what_cannot_be_resolved_is_refused_at_its_place() {
    for (expression, reason) in [
        ("!Ref Missing", ".Ref: no parameter or resource `Missing`"),
        ("!Ref Work", ".Ref: `Work` (AWS::Serverless::Function) has no Ref here"),
        ("!Ref AWS::AccountId", ".Ref: `AWS::AccountId` has no value here"),
        ("!Ref [a]", ".Ref: invalid argument"),
        (
            "!GetAtt Orders.Arn",
            ".Fn::GetAtt: `Orders` (AWS::DynamoDB::Table) has no attribute `Arn` here",
        ),
        ("!GetAtt [a]", ".Fn::GetAtt: must be a resource and an attribute"),
        ("!Sub '${Size'", ".Fn::Sub: `${` without `}`"),
        ("!Sub '${Names}'", ".Fn::Sub: `${Names}` must be a text"),
        ("!If [Missing, a, b]", ".Fn::If: no condition `Missing`"),
        ("!If [a, b]", ".Fn::If: must be a condition and two values"),
        ("!Join ['', [a, b]]", ": `Fn::Join` is not supported here"),
        ("!Equals [a, a]", ": `Fn::Equals` is not supported here"),
        ("{ Ref: Orders, Other: x }", ": `Ref` must be the only member"),
        ("!Ref Names", ": must be a text, a number or a truth value"),
    ] {
        let names = "Parameters: { Names: { Type: CommaDelimitedList, Default: 'a,b' } }";
        let text = with_variables(&format!("X: {expression}"), &format!("{TABLE}\n{names}"));
        let expected = format!("Resources.Work.Properties.Environment.Variables.X{reason}");
        assert_eq!(refusal(&text), expected, "{expression}");
    }
}

#[test]
fn an_invalid_condition_is_refused_at_its_place() {
    for (condition, reason) in [
        ("'true'", ": must be a function"),
        ("!Condition Other", ": must be a function"),
        ("!Contains [a, b]", ": `Fn::Contains` is not supported in a condition"),
        ("!Equals [a]", ".Fn::Equals: wrong number of arguments"),
        (
            "!Not [!Equals [!Ref Work, a]]",
            ".Fn::Not[0].Fn::Equals[0].Ref: no parameter or resource `Work`",
        ),
    ] {
        let text = with_variables("", &format!("Conditions: {{ Holds: {condition} }}"));
        assert_eq!(refusal(&text), format!("Conditions.Holds{reason}"), "{condition}");
    }
    let text = with_variables("", "    Condition: Missing");
    assert_eq!(refusal(&text), "Resources.Work.Condition: no condition `Missing`");
}
