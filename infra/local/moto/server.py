"""moto_server with work-arounds for the emulator.

moto parses the definition of a state machine anew for every execution, which is
0.2 s of pure Python; twenty executions at once would keep the door waiting beyond
Slack's 3 s. The parse tree is kept by the definition's text: nothing changes it.

moto calls every failed Invoke "Exception" or "States.TaskFailed". Step Functions
gives it the name of Lambda's error, or Lambda.SdkClientException where there was no
answer (docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html),
and that is what a Retry waits for.

moto copies a whole table, its stream included, before each TransactWriteItems, which
takes longer with every write of the past. What is put back when the transaction is
cancelled is the items that it names, and the length of the stream.

moto writes each attribute of a DynamoDB item through ten layers of its serializer,
20 ms for the rows of one environment. They are in the form of the wire already.
"""

import copy
import sys

from botocore.exceptions import BotoCoreError, ClientError
from moto.core.serialize import BaseJSONSerializer
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table
from moto.server import main
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import (
    CustomErrorName,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task import (
    state_task_lambda,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service_lambda,
)
from moto.stepfunctions.parser.asl.parse import asl_parser

parse_anew = asl_parser.AmazonStateLanguageParser.parse
trees = {}


def parse(definition):
    if definition not in trees:
        program, trees[definition] = parse_anew(definition)
        return program, trees[definition]
    tree = trees[definition]
    return asl_parser.Preprocessor().visit(tree), tree


asl_parser.AmazonStateLanguageParser.parse = staticmethod(parse)


def named(cls):
    unnamed = cls._from_error

    def from_error(self, env, ex):
        event = unnamed(self, env, ex)
        if isinstance(ex, ClientError):
            event.error_name = CustomErrorName("Lambda." + ex.response["Error"]["Code"])
        elif isinstance(ex, BotoCoreError):
            event.error_name = CustomErrorName("Lambda.SdkClientException")
        return event

    cls._from_error = from_error


named(state_task_lambda.StateTaskLambda)
named(state_task_service_lambda.StateTaskServiceLambda)

transact_copying = DynamoDBBackend.transact_write_items


def restorer(table, op):
    source = op.get("Key") or op["Item"]
    hash_value = DynamoType(source[table.hash_key_attr])
    range_value = DynamoType(source[table.range_key_attr])
    row = table.items.get(hash_value, {})
    old = copy.deepcopy(row.get(range_value))

    def restore():
        if old is not None:
            table.items[hash_value][range_value] = old
        else:
            table.items.get(hash_value, {}).pop(range_value, None)

    return restore


def transact(self, transact_items):
    restorers, lengths = [], {}
    for item in transact_items:
        op = next(iter(item.values()))
        table = self.tables.get(op.get("TableName"))
        if table is None or table.range_key_attr is None:
            continue
        restorers.append(restorer(table, op))
        if table.stream_shard:
            lengths[table.stream_shard] = len(table.stream_shard.items)
    try:
        transact_copying(self, transact_items)
    except Exception:
        for restore in restorers:
            restore()
        for shard, length in lengths.items():
            del shard.items[length:]
        raise


def wire(value):
    if isinstance(value, DynamoType):
        value = value.to_json()
    if isinstance(value, dict):
        return {k: wire(v) for k, v in value.items()}
    if isinstance(value, list):
        return [wire(v) for v in value]
    return value


serialize_layered = BaseJSONSerializer._serialize_type_structure


def serialize(self, serialized, value, shape, key):
    if shape.name == "AttributeValue" and key:
        serialized[key] = wire(value)
    else:
        serialize_layered(self, serialized, value, shape, key)


BaseJSONSerializer._serialize_type_structure = serialize
Table.__deepcopy__ = lambda table, memo: table
DynamoDBBackend.transact_write_items = transact
sys.exit(main())
