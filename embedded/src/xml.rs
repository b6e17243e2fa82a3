//! Responses in XML.

use aws_smithy_xml::encode::{ScopeWriter, XmlWriter};
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

/// Makes a response of a document with this root element.
pub(crate) fn response(
    status: StatusCode,
    root: &str,
    write: impl FnOnce(&mut ScopeWriter<'_, '_>),
) -> Response<Bytes> {
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    let mut document = XmlWriter::new(&mut text);
    let mut scope = document.start_el(root).finish();
    write(&mut scope);
    scope.finish();
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    response
}

/// Writes an element with a text.
pub(crate) fn element(parent: &mut ScopeWriter<'_, '_>, tag: &str, text: &str) {
    let mut element = parent.start_el(tag).finish();
    element.data(text);
    element.finish();
}
