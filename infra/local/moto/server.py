"""moto_server with work-arounds for the emulator.

moto parses the definition of a state machine anew for every execution, which is
0.2 s of pure Python; twenty executions at once would keep the door waiting beyond
Slack's 3 s. The parse tree is kept by the definition's text: nothing changes it.

moto calls every failed Invoke "Exception" or "States.TaskFailed". Step Functions
gives it the name of Lambda's error, or Lambda.SdkClientException where there was no
answer (docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html),
and that is what a Retry waits for.

moto lets a stopped execution run until what it waits for has come, calls it FAILED
then, and cannot stop one that has not begun. Step Functions aborts it at once. A
function that was invoked goes on in both.

moto takes an error that comes out of a Parallel or a Map for one of the definition's
own, whose name may not begin with "States.", so that a time-out in there became
States.Runtime.

moto copies a whole table, its stream included, before each TransactWriteItems, which
takes longer with every write of the past. What is put back when the transaction is
cancelled is the items that it names, and the length of the stream.

moto writes each attribute of a DynamoDB item through ten layers of its serializer,
20 ms for the rows of one environment. They are in the form of the wire already.

moto sorts a whole table before each Query, which takes longer with every environment
of the past. It is given the rows that have the key.

moto lists the folders of its own package at each request, and prints a line for it:
a fifth of its time. The folders are listed once; the edge has the calls.
"""

import base64
import copy
import logging
import sys
import threading
import time

from botocore.exceptions import BotoCoreError, ClientError
from moto import backends
from moto.core.serialize import BaseJSONSerializer
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table
from moto.server import main
from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import (
    CustomErrorName,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import (
    StatesErrorName,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration import (
    iteration_worker,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel import (
    branches_decl,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task import (
    state_task_lambda,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service_lambda,
)
from moto.stepfunctions.parser.asl.parse import asl_parser
from moto.stepfunctions.parser.backend.execution import (
    BaseExecutionWorkerCommunication,
    Execution,
)

logging.getLogger("werkzeug").setLevel(logging.WARNING)
modules = frozenset(backends.list_of_moto_modules())
backends.list_of_moto_modules = lambda: modules

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

stop_worker = Execution.stop
reflect_state = BaseExecutionWorkerCommunication._reflect_execution_status


def stop(self, stop_date, error, cause):
    while self.exec_status == ExecutionStatus.RUNNING:
        if self.exec_worker.env and self.exec_worker.env.is_running():
            self.exec_status, self.stop_date = ExecutionStatus.ABORTED, stop_date
            stop_worker(self, stop_date=stop_date, error=error, cause=cause)
        else:
            time.sleep(0.01)


def reflect(self):
    if self.execution.exec_status == ExecutionStatus.RUNNING:
        reflect_state(self)


Execution.stop = stop
BaseExecutionWorkerCommunication._reflect_execution_status = reflect


def passed_on(error_name):
    if error_name and error_name.startswith("States."):
        return StatesErrorName.from_name(error_name)
    return CustomErrorName(error_name)


branches_decl.CustomErrorName = iteration_worker.CustomErrorName = passed_on

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
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


serialize_layered = BaseJSONSerializer._serialize_type_structure


def serialize(self, serialized, value, shape, key):
    if shape.name == "AttributeValue" and key:
        serialized[key] = wire(value)
    else:
        serialize_layered(self, serialized, value, shape, key)


rows_of_table, query_rows = Table.all_items, Table.query
asked = threading.local()


def rows(self):
    narrowed = getattr(asked, "rows", None)
    return rows_of_table(self) if narrowed is None else narrowed


def having(table, hash_key, index_name, conditions):
    if not index_name:
        return list(table.items.get(hash_key, {}).values())
    return [
        row
        for group in list(table.items.values())
        for row in list(group.values())
        if all(
            name in row.attrs and row.attrs[name].value == key.value
            for name, key in conditions
        )
    ]


def query(self, hash_key, *args, hash_key_conditions=None, **kwargs):
    index_name = args[6] if len(args) > 6 else kwargs.get("index_name")
    if self.range_key_attr and (hash_key_conditions or not index_name):
        asked.rows = having(self, hash_key, index_name, hash_key_conditions)
    try:
        return query_rows(
            self, hash_key, *args, hash_key_conditions=hash_key_conditions, **kwargs
        )
    finally:
        asked.rows = None


BaseJSONSerializer._serialize_type_structure = serialize
Table.all_items, Table.query = rows, query
Table.__deepcopy__ = lambda table, memo: table
DynamoDBBackend.transact_write_items = transact
sys.exit(main())
