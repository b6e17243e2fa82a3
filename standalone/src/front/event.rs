//! The request as a function receives it: the event of API Gateway's HTTP API, payload format 2.0.
//!
//! Its shape is documented as "AWS Lambda proxy integrations for HTTP APIs" of the API Gateway
//! developer guide. Where that is silent, this does what the gateway was seen to do: the path is
//! percent-decoded, the query string is not, and only a few media types are text.

use std::{borrow::Cow, collections::BTreeMap};

use base64::prelude::{BASE64_STANDARD, Engine};
use hyper::header::{CONTENT_TYPE, COOKIE, HOST, HeaderName, USER_AGENT};
use jiff::Timestamp;
use lambda_http::http::{Version, request::Parts};
use serde::Serialize;

use super::{Peers, error::GatewayError, head::is_of_connection, router::ServedRoute};

/// The account of every event. It appears in no ARN.
const ACCOUNT_ID: &str = "000000000000";

/// The id of the API in every event.
const API_ID: &str = "once";

/// The media types besides `text/*` whose bodies an event holds as text. All others are in base64,
/// even forms and `application/problem+json`.
const TEXT_TYPES: [&str; 3] = ["application/javascript", "application/json", "application/xml"];

/// A request with what the front knows of it.
pub(super) struct Received<'a> {
    pub(super) head: &'a Parts,
    /// The decoded path.
    pub(super) path: &'a str,
    pub(super) body: &'a [u8],
    pub(super) route: &'a ServedRoute,
    pub(super) peers: Peers,
    /// The gateway's id of the request.
    pub(super) id: &'a str,
    pub(super) time: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    version: &'static str,
    route_key: &'a str,
    raw_path: Cow<'a, str>,
    raw_query_string: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cookies: Vec<Cow<'a, str>>,
    headers: BTreeMap<&'a str, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    query_string_parameters: BTreeMap<Cow<'a, str>, String>,
    request_context: RequestContext<'a>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    path_parameters: BTreeMap<&'static str, &'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Cow<'a, str>>,
    is_base64_encoded: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'a> {
    account_id: &'static str,
    api_id: &'static str,
    domain_name: &'a str,
    domain_prefix: &'a str,
    http: Http<'a>,
    request_id: &'a str,
    route_key: &'a str,
    stage: &'static str,
    time: String,
    time_epoch: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Http<'a> {
    method: &'a str,
    path: &'a str,
    protocol: &'static str,
    source_ip: String,
    user_agent: &'a str,
}

impl<'a> Received<'a> {
    /// Converts the request to the one that `lambda_http` makes of its event.
    pub(super) fn into_request(self) -> Result<lambda_http::Request, GatewayError> {
        let event = serde_json::to_string(&self.event()).map_err(|_| GatewayError::BadRequest)?;
        lambda_http::request::from_str(&event).map_err(|_| GatewayError::BadRequest)
    }

    fn event(&self) -> Event<'a> {
        let route_key = self.route.key();
        let query = self.head.uri.query().unwrap_or_default();
        let (body, is_base64_encoded) = self.body();
        Event {
            version: "2.0",
            route_key,
            raw_path: self.raw_path(),
            raw_query_string: query,
            cookies: self.cookies(),
            headers: self.headers(),
            query_string_parameters: joined(form_urlencoded::parse(query.as_bytes())),
            request_context: self.context(route_key),
            path_parameters: self.route.parameters(self.path),
            body,
            is_base64_encoded,
        }
    }

    fn context(&self, route_key: &'a str) -> RequestContext<'a> {
        let domain_name = domain(self.header(&HOST));
        RequestContext {
            account_id: ACCOUNT_ID,
            api_id: API_ID,
            domain_name,
            domain_prefix: domain_name.split('.').next().unwrap_or_default(),
            http: Http {
                method: self.head.method.as_str(),
                path: self.path,
                protocol: if self.head.version == Version::HTTP_10 {
                    "HTTP/1.0"
                } else {
                    "HTTP/1.1"
                },
                source_ip: self.peers.client.to_string(),
                user_agent: self.header(&USER_AGENT),
            },
            request_id: self.id,
            route_key,
            stage: "$default",
            time: self.time.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            time_epoch: self.time.as_millisecond(),
        }
    }

    /// Returns the decoded path. What would end the path of a URL is encoded again: `lambda_http`
    /// makes a URL of it.
    fn raw_path(&self) -> Cow<'a, str> {
        if self.path.contains(['?', '#']) {
            self.path.replace('?', "%3F").replace('#', "%23").into()
        } else {
            self.path.into()
        }
    }

    /// Returns the headers in lower case, doubled ones joined, with those that the gateway sets.
    /// What is not UTF-8 is replaced.
    fn headers(&self) -> BTreeMap<&'a str, String> {
        let passed_on = |name: &HeaderName| *name != COOKIE && !is_of_connection(name);
        let given = self.head.headers.iter().filter(|(name, _)| passed_on(name));
        let mut headers = joined(
            given.map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes()))),
        );
        headers.insert("content-length", self.body.len().to_string());
        let client = self.peers.client.to_string();
        let forwarded_for = headers.entry("x-forwarded-for").or_default();
        *forwarded_for = match forwarded_for.as_str() {
            "" => client,
            proxies => format!("{proxies}, {client}"),
        };
        headers.insert("x-forwarded-port", self.peers.port.to_string());
        headers.insert("x-forwarded-proto", "http".to_owned());
        headers
    }

    fn cookies(&self) -> Vec<Cow<'a, str>> {
        let values = self.head.headers.get_all(COOKIE).iter();
        let cookies = values.filter_map(|value| value.to_str().ok()).flat_map(|all| all.split(';'));
        cookies.map(|cookie| Cow::Borrowed(cookie.trim())).filter(|text| !text.is_empty()).collect()
    }

    /// Returns the body, and whether it is in base64.
    fn body(&self) -> (Option<Cow<'a, str>>, bool) {
        if self.body.is_empty() {
            return (None, false);
        }
        match str::from_utf8(self.body) {
            Ok(text) if is_text(self.header(&CONTENT_TYPE)) => (Some(text.into()), false),
            _ => (Some(BASE64_STANDARD.encode(self.body).into()), true),
        }
    }

    /// Returns a header, empty if it is missing or not ASCII.
    fn header(&self, name: &HeaderName) -> &'a str {
        let value = self.head.headers.get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// Joins the values of each name with commas.
fn joined<'a, N: Ord>(pairs: impl Iterator<Item = (N, Cow<'a, str>)>) -> BTreeMap<N, String> {
    let mut all = BTreeMap::<N, String>::new();
    for (name, value) in pairs {
        all.entry(name)
            .and_modify(|values| values.extend([",", &*value]))
            .or_insert_with(|| value.into_owned());
    }
    all
}

/// Returns a host without its port; `localhost` for none.
fn domain(host: &str) -> &str {
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    match host.rsplit_once(':') {
        Some((domain, port)) if is_port(port) => domain,
        None if host.is_empty() => "localhost",
        _ => host,
    }
}

fn is_text(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    let media_type = media_type.to_ascii_lowercase();
    media_type.starts_with("text/") || TEXT_TYPES.contains(&&*media_type)
}

#[cfg(test)]
mod tests;
