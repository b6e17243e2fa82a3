//! DynamoDB's operations.

use std::time::Instant;

use bytes::Bytes;
use dynoxide::{
    Result,
    actions::{
        batch_get_item, batch_write_item, create_table, delete_item, describe_table,
        describe_time_to_live, get_item, list_tables, put_item,
        query::{self, QueryRequest},
        scan::{self, ScanRequest},
        transact_get_items,
        transact_write_items::{self, TransactWriteItemsRequest},
        update_item, update_time_to_live,
        vector_lifecycle::VectorIndexLifecycle,
    },
    storage::Storage,
};
use http::{Request, Response, StatusCode};
use pollster::block_on;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tracing::error;

use super::{DynoxideError, Store, tokens::fingerprint};
use crate::json_call::{self, JSON_1_0};

/// The service in the header of a call.
const SERVICE: &str = "DynamoDB_20120810";

/// The `Limit` of a `Query` or `Scan` that has none. dynoxide loads all rows up to the limit and
/// then cuts the page at 1 MB, so that without one each page of a large partition would load the
/// rest of it. 1 000 items of 1 KB are such a page; where items are smaller, the pages are, and
/// short ones let other reads pass.
const PAGE: usize = 1_000;

/// The response to a request, in DynamoDB's JSON protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// A JSON object: the result, or an error with `__type` and `message`.
    pub body: String,
}

impl Store {
    /// Responds to a request of the SDK. The caller is trusted.
    pub async fn respond(&self, request: Request<Bytes>) -> Response<Bytes> {
        let operation = json_call::operation(&request, SERVICE);
        let Reply { status, body } = self.execute(operation, request.body().clone()).await;
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        json_call::with_body(status, body, JSON_1_0)
    }

    /// Executes an operation of DynamoDB: `GetItem`, `PutItem`, `UpdateItem`, `DeleteItem`,
    /// `Query`, `Scan`, `BatchGetItem`, `BatchWriteItem`, `TransactGetItems`,
    /// `TransactWriteItems`, `CreateTable`, `DescribeTable`, `ListTables`, `UpdateTimeToLive` or
    /// `DescribeTimeToLive`. Another one is answered by `UnknownOperationException`.
    pub async fn execute(&self, operation: &str, body: Bytes) -> Reply {
        let result = match operation {
            "GetItem" => self.reading(body, |s, r| block_on(get_item::execute(s, r))).await,
            "Query" => self.reading(body, query).await,
            "Scan" => self.reading(body, scan).await,
            "BatchGetItem" => {
                self.reading(body, |s, r| block_on(batch_get_item::execute(s, r))).await
            }
            "TransactGetItems" => {
                self.reading(body, |s, r| block_on(transact_get_items::execute(s, r))).await
            }
            "DescribeTable" => self.reading(body, describe_table).await,
            "ListTables" => self.reading(body, |s, r| block_on(list_tables::execute(s, r))).await,
            "PutItem" => self.writing(body, |s, r| block_on(put_item::execute(s, r))).await,
            "UpdateItem" => self.writing(body, |s, r| block_on(update_item::execute(s, r))).await,
            "DeleteItem" => self.writing(body, |s, r| block_on(delete_item::execute(s, r))).await,
            "BatchWriteItem" => {
                self.writing(body, |s, r| block_on(batch_write_item::execute(s, r))).await
            }
            "TransactWriteItems" => self.transact(body).await,
            "CreateTable" => self.writing(body, create_table).await,
            "UpdateTimeToLive" => self.writing(body, update_time_to_live).await,
            // Each connection caches the settings of tables, and only the writer's sees that they
            // change.
            "DescribeTimeToLive" => self.writing(body, describe_time_to_live).await,
            _ => return Reply::unknown_operation(operation),
        };
        Reply::new(operation, result)
    }

    /// Creates a table by a request of `CreateTable`, unless a table has its name.
    pub async fn create_table(&self, request: &Value) -> Result<()> {
        match self.writing(request.to_string().into(), create_table).await {
            Err(DynoxideError::ResourceInUseException(_)) => Ok(()),
            result => result.map(drop),
        }
    }

    /// Sets the attribute with the time at which the items of a table expire, unless it is set.
    pub async fn set_time_to_live(&self, table: &str, attribute: &str) -> Result<()> {
        let mut request = json!({ "TableName": table });
        let described = self.writing(request.to_string().into(), describe_time_to_live).await?;
        let described: Value = parse(described.as_bytes())?;
        if described["TimeToLiveDescription"]["AttributeName"] == attribute {
            return Ok(());
        }
        request["TimeToLiveSpecification"] = json!({ "Enabled": true, "AttributeName": attribute });
        self.writing(request.to_string().into(), update_time_to_live).await.map(drop)
    }

    /// Describes a table, as `Table` of `DescribeTable`'s response does. It counts the items of the
    /// table, which takes as long as reading them.
    pub async fn describe(&self, table: &str) -> Result<Value> {
        let body = json!({ "TableName": table }).to_string();
        let mut response: Value =
            parse(self.reading(body.into(), describe_table).await?.as_bytes())?;
        Ok(response["Table"].take())
    }

    async fn transact(&self, body: Bytes) -> Result<String> {
        let body: Value = parse(&body)?;
        let fingerprint = fingerprint(&body);
        let request: TransactWriteItemsRequest =
            serde_json::from_value(body).map_err(|error| refusal(&error))?;
        let tokens = self.tokens();
        let transact = move |storage: &Storage| {
            let token = request.client_request_token.clone();
            let transact = || block_on(transact_write_items::execute(storage, request));
            match token {
                Some(token) => tokens.lock().once(&token, fingerprint, Instant::now(), transact),
                None => transact(),
            }
        };
        to_json(&self.on_writer(transact).await?)
    }

    /// Executes an operation that only reads. All of its work is done on the reader's thread.
    async fn reading<Request, Response>(
        &self,
        body: Bytes,
        execute: fn(&Storage, Request) -> Result<Response>,
    ) -> Result<String>
    where
        Request: DeserializeOwned + 'static,
        Response: Serialize + 'static,
    {
        self.on_reader(move |storage| to_json(&execute(storage, parse(&body)?)?)).await
    }

    /// Executes an operation that writes. All that does not need the writer's thread is done on the
    /// caller's.
    async fn writing<Request, Response>(
        &self,
        body: Bytes,
        execute: fn(&Storage, Request) -> Result<Response>,
    ) -> Result<String>
    where
        Request: DeserializeOwned + Send + 'static,
        Response: Serialize + Send + 'static,
    {
        let request = parse(&body)?;
        to_json(&self.on_writer(move |storage| execute(storage, request)).await?)
    }
}

fn query(storage: &Storage, mut request: QueryRequest) -> Result<query::QueryResponse> {
    request.limit.get_or_insert(PAGE);
    block_on(query::execute(storage, request))
}

fn scan(storage: &Storage, mut request: ScanRequest) -> Result<scan::ScanResponse> {
    request.limit.get_or_insert(PAGE);
    block_on(scan::execute(storage, request))
}

fn create_table(
    storage: &Storage,
    request: create_table::CreateTableRequest,
) -> Result<create_table::CreateTableResponse> {
    block_on(create_table::execute(storage, request))
}

fn describe_table(
    storage: &Storage,
    request: describe_table::DescribeTableRequest,
) -> Result<describe_table::DescribeTableResponse> {
    // No table has an index of vectors, whose creation this would observe.
    block_on(describe_table::execute(storage, request, &VectorIndexLifecycle::new()))
}

fn describe_time_to_live(
    storage: &Storage,
    request: describe_time_to_live::DescribeTimeToLiveRequest,
) -> Result<describe_time_to_live::DescribeTimeToLiveResponse> {
    block_on(describe_time_to_live::execute(storage, request))
}

fn update_time_to_live(
    storage: &Storage,
    request: update_time_to_live::UpdateTimeToLiveRequest,
) -> Result<update_time_to_live::UpdateTimeToLiveResponse> {
    block_on(update_time_to_live::execute(storage, request))
}

impl Reply {
    fn new(operation: &str, result: Result<String>) -> Self {
        match result {
            Ok(body) => Self { status: 200, body },
            Err(error) => {
                let status = error.status_code();
                if status >= 500 {
                    error!(operation, error = &error as &dyn std::error::Error, "DynamoDB failed");
                }
                Self { status, body: error.to_json() }
            }
        }
    }

    fn unknown_operation(operation: &str) -> Self {
        let error = json!({
            "__type": "com.amazon.coral.service#UnknownOperationException",
            "message": format!("{operation}: this store does not have the operation"),
        });
        Self { status: 400, body: error.to_string() }
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    serde_json::from_slice(body).map_err(|error| refusal(&error))
}

fn to_json(response: &impl Serialize) -> Result<String> {
    serde_json::to_string(response)
        .map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}

/// Returns the error of a request that cannot be read. dynoxide's readers mark the class of an
/// error at its start.
fn refusal(error: &serde_json::Error) -> DynoxideError {
    let text = error.to_string();
    match text.split_once(':') {
        Some(("VALIDATION" | "VALIDATION_REQUEST" | "VALIDATION_AS_READ", message)) => {
            DynoxideError::ValidationException(message.into())
        }
        Some(("SERIALIZATION" | "SERIALIZATION_AS_READ", message)) => {
            DynoxideError::SerializationException(message.into())
        }
        _ => DynoxideError::SerializationException(text),
    }
}
