//! Security Token Service: who the caller is. Tools ask for it before they do anything else.

use bytes::Bytes;
use http::{Request, Response, StatusCode};

use super::protocol::{Protocol, Refusal};
use crate::xml::{self, element};

/// The account of all resources here.
const ACCOUNT: &str = "000000000000";

/// Responds to a request of the SDK. All callers are the owner of the account.
pub(super) fn respond(request: &Request<Bytes>) -> Response<Bytes> {
    let mut fields = form_urlencoded::parse(request.body());
    let action = fields.find(|(name, _)| name == "Action").map(|(_, action)| action);
    match action.as_deref() {
        Some("GetCallerIdentity") => {
            xml::response(StatusCode::OK, "GetCallerIdentityResponse", |root| {
                let mut result = root.start_el("GetCallerIdentityResult").finish();
                element(&mut result, "Arn", &format!("arn:aws:iam::{ACCOUNT}:root"));
                element(&mut result, "UserId", ACCOUNT);
                element(&mut result, "Account", ACCOUNT);
            })
        }
        action => {
            let action = action.unwrap_or("a form without Action").to_owned();
            Protocol::Query.refuse(&Refusal::UnknownOperation(action))
        }
    }
}
