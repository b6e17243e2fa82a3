"""The role of a function allows what it needs and no more; the local cloud enforces policies."""

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

KEY = {"pk": {"S": "UNKNOWN"}, "sk": {"S": "UNKNOWN"}}

TABLES = ["Orders", "Ledger", "Uniques", "Companies", "Settlements", "Schedules"]

# Calls that each function must not be allowed, besides scanning and dropping tables: those that are
# most similar to what it may do.
FORBIDDEN = {
    # Orders
    "OrderCreate": [
        "DeleteItem Orders",
        "Query Orders/recent",
        "GetItem Ledger",
        "UpdateItem Ledger",
        "Query Ledger",
        "GetSecretValue WebhookSecret",
    ],
    "OrderList": [
        "PutItem Orders",
        "UpdateItem Orders",
        "Query Orders",
        "GetItem Ledger",
        "GetSecretValue OrderSecret",
    ],
    "OrderGet": [
        "PutItem Orders",
        "UpdateItem Orders",
        "Query Orders/recent",
        "GetItem Ledger",
        "GetSecretValue WebhookSecret",
    ],
    "OrderCancel": [
        "PutItem Orders",
        "DeleteItem Orders",
        "Query Orders",
        "GetItem Ledger",
        "UpdateItem Ledger",
        "GetSecretValue WebhookSecret",
    ],
    "ProductCreate": ["DeleteItem Orders", "Query Orders/recent", "PutItem Ledger"],
    "ProductList": ["PutItem Orders", "UpdateItem Orders", "GetItem Ledger"],
    "ProductGet": ["PutItem Orders", "UpdateItem Orders", "Query Orders/recent"],
    "ProductRestock": ["DeleteItem Orders", "Query Orders/recent", "PutItem Ledger"],
    # Uniques
    "Accept": ["Query Uniques", "UpdateItem Uniques", "DeleteItem Uniques", "SendMessage Callback"],
    "CountList": ["PutItem Uniques", "UpdateItem Uniques"],
    "CallbackTest": ["GetItem Uniques", "GetSecretValue OrderSecret", "SendMessage Callback"],
    "MinuteClose": ["DeleteItem Uniques", "ReceiveMessage Callback", "ListShards CountStream"],
    "CallbackSend": ["PutItem Uniques", "UpdateItem Uniques", "GetSecretValue OrderSecret"],
    # Companies
    "CompanyPut": [
        "UpdateItem Companies",
        "DeleteItem Companies",
        "GetItem Ledger",
        "SendMessage Company",
    ],
    "CompanyGet": ["PutItem Companies", "UpdateItem Companies", "Query Companies"],
    "CompanyFigures": [
        "PutItem Companies",
        "DeleteItem Companies",
        "Query Ledger",
        "ReceiveMessage Company",
    ],
    "CompanyCompute": [
        "PutItem Companies",
        "DeleteItem Companies",
        "PutItem Ledger",
        "GetItem Ledger",
        "SendMessage Company",
    ],
    # Settlement
    "SettlementCreate": [
        "UpdateItem Settlements",
        "GetItem Ledger",
        "SendMessage SettlementBatch",
        "ReceiveMessage SettlementPlan",
    ],
    "SettlementGet": [
        "PutItem Settlements",
        "UpdateItem Settlements",
        "GetObject reports/unknown.csv",
    ],
    "SettlementList": ["PutItem Settlements", "Query Settlements/live"],
    "SettlementCancel": ["PutItem Settlements", "SendMessage SettlementPlan"],
    "SettlementRetry": ["PutItem Settlements", "SendMessage SettlementFinish"],
    "SettlementDownload": [
        "UpdateItem Settlements",
        "Query Settlements",
        "GetObject parts/unknown.csv",
        "PutObject reports/unknown.csv",
        "DeleteObject reports/unknown.csv",
    ],
    "SettlementPlan": [
        "DeleteItem Settlements",
        "PutItem Ledger",
        "SendMessage SettlementPlan",
        "PutObject parts/unknown.csv",
    ],
    "SettlementBatch": [
        "PutItem Ledger",
        "SendMessage SettlementBatch",
        "GetObject reports/unknown.csv",
        "GetObject parts/unknown.csv",
        "PutObject reports/unknown.csv",
        "DeleteObject parts/unknown.csv",
    ],
    "SettlementFinish": [
        "DeleteItem Settlements",
        "Query Ledger",
        "SendMessage SettlementFinish",
        "PutObject parts/unknown.csv",
        "GetObject reports/unknown.csv",
        "DeleteObject reports/unknown.csv",
    ],
    "SettlementDeadLetter": ["PutItem Settlements", "SendMessage SettlementPlan"],
    "SettlementRecover": ["PutItem Settlements", "Query Ledger", "GetObject reports/unknown.csv"],
    # Schedule
    "ScheduledJobCreate": ["UpdateItem Schedules", "DeleteItem Schedules", "SendMessage Schedule"],
    "ScheduledJobList": ["PutItem Schedules", "Query Schedules", "Query Schedules/due"],
    "ScheduledJobGet": ["PutItem Schedules", "UpdateItem Schedules", "Query Schedules"],
    "ScheduledJobPut": ["PutItem Schedules", "DeleteItem Schedules", "SendMessage Schedule"],
    "ScheduledJobDelete": ["PutItem Schedules", "UpdateItem Schedules", "SendMessage Schedule"],
    "ScheduledJobPause": ["PutItem Schedules", "DeleteItem Schedules", "SendMessage Schedule"],
    "ScheduledJobResume": ["PutItem Schedules", "DeleteItem Schedules", "ReceiveMessage Schedule"],
    "ScheduledJobRun": [
        "UpdateItem Schedules",
        "DeleteItem Schedules",
        "PutItem Settlements",
        "ReceiveMessage Schedule",
        "SendMessage SettlementPlan",
    ],
    "ScheduledJobRunList": ["PutItem Schedules", "UpdateItem Schedules", "Query Schedules/recent"],
    "ScheduleGet": ["PutItem Schedules", "UpdateItem Schedules", "Query Schedules"],
    "SchedulePut": ["PutItem Schedules", "DeleteItem Schedules", "ReceiveMessage Schedule"],
    "ScheduleDelete": ["PutItem Schedules", "DeleteItem Schedules", "SendMessage Schedule"],
    "SchedulePreview": ["GetItem Schedules", "PutItem Schedules", "SendMessage Schedule"],
    "ScheduleTick": [
        "DeleteItem Schedules",
        "Query Schedules",
        "Query Schedules/recent",
        "GetItem Settlements",
        "ReceiveMessage Schedule",
    ],
    "ScheduleRun": [
        "DeleteItem Schedules",
        "Query Schedules/due",
        "UpdateItem Settlements",
        "PutItem Companies",
        "PutItem Ledger",
        "SendMessage ScheduleDeadLetter",
        "DeleteQueue SettlementPlan",
    ],
    # Operations
    "Health": [
        "PutItem Orders",
        "Query Orders",
        "DeleteItem Schedules",
        "SendMessage Company",
        "ReceiveMessage Company",
        "PurgeQueue Company",
        "GetObject reports/unknown.csv",
        "GetSecretValue OrderSecret",
    ],
    "MetricsGet": [
        "PutItem Orders",
        "GetItem Orders",
        "Query Ledger",
        "UpdateItem Schedules",
        "ReceiveMessage Company",
        "SendMessage Company",
        "ListObjectsV2 bucket",
        "GetSecretValue WebhookSecret",
    ],
    "OpenapiGet": ["GetItem Orders", "GetSecretValue WebhookSecret"],
    "RouteUnknown": ["GetItem Orders", "GetSecretValue OrderSecret"],
}


def service_and_arguments(operation: str, target: str, outputs: dict[str, str]) -> tuple[str, dict]:
    """Returns the service and the arguments of a call: `("PutItem", "Orders")`."""
    match operation:
        case "PutItem":
            return "dynamodb", {"TableName": outputs[f"{target}TableName"], "Item": KEY}
        case "GetItem" | "UpdateItem" | "DeleteItem":
            return "dynamodb", {"TableName": outputs[f"{target}TableName"], "Key": KEY}
        case "Query":
            table, _, index = target.partition("/")
            condition = {
                "KeyConditionExpression": f"{index}_pk = :pk" if index else "pk = :pk",
                "ExpressionAttributeValues": {":pk": KEY["pk"]},
            }
            named = {"IndexName": index} if index else {}
            return "dynamodb", {"TableName": outputs[f"{table}TableName"]} | named | condition
        case "SendMessage":
            return "sqs", {"QueueUrl": outputs[f"{target}QueueUrl"], "MessageBody": "x"}
        case "ReceiveMessage" | "PurgeQueue" | "DeleteQueue":
            return "sqs", {"QueueUrl": outputs[f"{target}QueueUrl"]}
        case "GetObject" | "PutObject" | "DeleteObject":
            return "s3", {"Bucket": outputs["SettlementBucketName"], "Key": target}
        case "ListObjectsV2":
            return "s3", {"Bucket": outputs["SettlementBucketName"]}
        case "GetSecretValue":
            return "secretsmanager", {"SecretId": outputs[f"{target}Arn"]}
        case "ListShards":
            return "kinesis", {"StreamName": outputs["CountStreamName"]}
    raise ValueError(operation)


def test_a_function_may_do_what_its_policy_allows(as_function, outputs):
    orders = as_function("OrderGet", "dynamodb")
    assert "Item" not in orders.get_item(TableName=outputs["OrdersTableName"], Key=KEY)


def test_no_function_may_do_the_work_of_another(as_function, functions, outputs, subtests):
    assert FORBIDDEN.keys() == functions.keys()
    for function, calls in FORBIDDEN.items():
        for call in calls:
            operation, target = call.split(" ")
            service, arguments = service_and_arguments(operation, target, outputs)
            with subtests.test(f"{function} {call}"):
                client = as_function(function, service)
                with pytest.raises(ClientError, match="AccessDenied"):
                    getattr(client, xform_name(operation))(**arguments)


@pytest.mark.parametrize("table", TABLES)
def test_no_function_may_scan_or_drop_a_table(as_function, functions, outputs, subtests, table):
    for function in functions:
        with subtests.test(function):
            store = as_function(function, "dynamodb")
            for forbidden in (store.scan, store.delete_table):
                with pytest.raises(ClientError, match="AccessDenied"):
                    forbidden(TableName=outputs[f"{table}TableName"])
