//! Bodies of uploads: the SDK's `aws-chunked` encoding and its checksums.

use aws_smithy_checksums::ChecksumAlgorithm;
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::{Buf, Bytes, BytesMut};
use http::HeaderMap;
use md5::{Digest, Md5};

use super::Error;

/// Names of headers and trailers that hold a checksum begin with this, except [`NO_CHECKSUMS`].
const CHECKSUM_PREFIX: &str = "x-amz-checksum-";

/// What a client wishes about checksums: of no consequence for a body.
const NO_CHECKSUMS: [&str; 3] = ["algorithm", "mode", "type"];

/// Returns the content of an upload: decoded, of the announced length, and equal to each checksum
/// that the request carries as a header or trailer.
pub(super) fn content(headers: &HeaderMap, body: &Bytes) -> Result<Bytes, Error> {
    let value = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let is_chunked =
        value("x-amz-content-sha256").is_some_and(|hash| hash.starts_with("STREAMING-"));
    let (content, trailers) =
        if is_chunked { decode(body.clone())? } else { (body.clone(), Vec::new()) };
    let length = value("x-amz-decoded-content-length");
    if length.is_some_and(|length| length.parse() != Ok(content.len())) {
        return Err(Error::IncompleteBody);
    }
    if let Some(expected) = value("content-md5") {
        compare("content-md5", expected, &Md5::digest(&content))?;
    }
    for (name, expected) in checksums(headers) {
        verify(name, expected, &content)?;
    }
    for (name, expected) in &trailers {
        let name = name.strip_prefix(CHECKSUM_PREFIX).ok_or(Error::IncompleteBody)?;
        verify(name, expected, &content)?;
    }
    if value("x-amz-trailer").is_some_and(|name| !trailers.iter().any(|(sent, _)| sent == name)) {
        return Err(Error::IncompleteBody);
    }
    Ok(content)
}

/// Returns the checksums among the headers: their algorithms and values.
pub(super) fn checksums(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers.iter().filter_map(|(name, value)| {
        let name = name.as_str().strip_prefix(CHECKSUM_PREFIX)?;
        // A value that is no text is no checksum either.
        let value = value.to_str().unwrap_or_default();
        (!NO_CHECKSUMS.contains(&name)).then_some((name, value))
    })
}

fn verify(name: &str, expected: &str, content: &[u8]) -> Result<(), Error> {
    let header = format!("{CHECKSUM_PREFIX}{name}");
    let algorithm = name.parse::<ChecksumAlgorithm>().ok();
    // The crate computes CRC-32 where MD5 is asked for.
    let Some(algorithm) = algorithm.filter(|algorithm| algorithm.as_str() == name) else {
        return Err(Error::NotImplemented(header));
    };
    let mut checksum = algorithm.into_impl();
    checksum.update(content);
    compare(&header, expected, &checksum.finalize())
}

fn compare(header: &str, expected: &str, computed: &[u8]) -> Result<(), Error> {
    if STANDARD.encode(computed) == expected {
        Ok(())
    } else {
        Err(Error::BadDigest(header.to_owned()))
    }
}

/// Decodes `<size in hex>[;<signature>]\r\n<bytes>\r\n` … `0\r\n<trailers>\r\n`. Signatures of
/// chunks are not checked: callers are trusted.
fn decode(mut body: Bytes) -> Result<(Bytes, Vec<(String, String)>), Error> {
    let mut content = BytesMut::new();
    loop {
        let line = line(&mut body)?;
        let size = line.split(';').next().unwrap_or_default();
        let size = usize::from_str_radix(size, 16).map_err(|_| Error::IncompleteBody)?;
        if size == 0 {
            break;
        }
        if body.len() < size {
            return Err(Error::IncompleteBody);
        }
        content.extend_from_slice(&body.split_to(size));
        if !self::line(&mut body)?.is_empty() {
            return Err(Error::IncompleteBody);
        }
    }
    let mut trailers = Vec::new();
    while body.has_remaining() {
        let line = line(&mut body)?;
        let Some((name, value)) = line.split_once(':') else { break };
        if name != "x-amz-trailer-signature" {
            trailers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    Ok((content.freeze(), trailers))
}

/// Takes a line and removes its end.
fn line(body: &mut Bytes) -> Result<String, Error> {
    let end = body.windows(2).position(|end| end == b"\r\n").ok_or(Error::IncompleteBody)?;
    let line = body.split_to(end);
    body.advance(2);
    String::from_utf8(line.to_vec()).map_err(|_| Error::IncompleteBody)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[(&'static str, &'static str)], body: &'static str) -> Result<Bytes, Error> {
        let parsed = |text: &'static str| text.parse().expect("a value");
        let headers =
            headers.iter().map(|(name, value)| (name.parse().expect("a name"), parsed(value)));
        content(&headers.collect(), &Bytes::from_static(body.as_bytes()))
    }

    #[test]
    fn a_body_matches_each_of_its_checksums() {
        // The check values of the catalogue of CRCs, and hashes by Python.
        for (name, value) in [
            ("content-md5", "JfnnlDI7RTiF9RgfG2JNCw=="),
            ("x-amz-checksum-crc32", "y/Q5Jg=="),
            ("x-amz-checksum-crc32c", "4waSgw=="),
            ("x-amz-checksum-crc64nvme", "rosUhgp5mIg="),
            ("x-amz-checksum-sha1", "98O8HYCOBHMq32eZZczDTKeuNEE="),
            ("x-amz-checksum-sha256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="),
        ] {
            let read = |body| read(&[(name, value)], body);
            assert_eq!(read("123456789").expect(name), "123456789");
            let error = read("123456780").expect_err(name);
            assert!(matches!(&error, Error::BadDigest(header) if header == name), "{error}");
        }
        for name in ["x-amz-checksum-md5", "x-amz-checksum-xxhash64"] {
            let error = read(&[(name, "")], "").expect_err(name);
            assert!(matches!(&error, Error::NotImplemented(header) if header == name), "{error}");
        }
        read(&[("x-amz-checksum-mode", "ENABLED")], "a").expect("no checksum");
    }

    #[test]
    fn a_chunked_body_is_decoded_and_its_trailer_is_checked() {
        let chunked = |trailer, body| {
            let headers = [
                ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
                ("x-amz-decoded-content-length", "9"),
                ("x-amz-trailer", trailer),
            ];
            read(&headers, body)
        };
        let crc32 = "x-amz-checksum-crc32";
        let body = "4;chunk-signature=0f\r\n1234\r\n5\r\n56789\r\n\
                    0\r\nx-amz-checksum-crc32:y/Q5Jg==\r\n\r\n";
        assert_eq!(chunked(crc32, body).expect("a body"), "123456789");
        for (trailer, body, code) in [
            (crc32, "9\r\n123456780\r\n0\r\nx-amz-checksum-crc32:y/Q5Jg==\r\n\r\n", "BadDigest"),
            (crc32, "9\r\n123456789\r\n0\r\n\r\n", "IncompleteBody"),
            ("x-amz-checksum-sha1", body, "IncompleteBody"),
            (
                crc32,
                "8\r\n12345678\r\n0\r\nx-amz-checksum-crc32:muDarw==\r\n\r\n",
                "IncompleteBody",
            ),
            (crc32, "9\r\n1234", "IncompleteBody"),
            (crc32, "9\r\n1234567890\r\n0\r\n\r\n", "IncompleteBody"),
            (crc32, "x\r\n", "IncompleteBody"),
            (crc32, "", "IncompleteBody"),
        ] {
            let error = chunked(trailer, body).expect_err(body);
            assert_eq!(error.code().1, code, "{body}");
        }
    }
}
