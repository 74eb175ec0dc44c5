"""moto_server with one work-around for the emulator.

moto parses the definition of a state machine anew for every execution, which is
0.2 s of pure Python; twenty executions at once would keep the door waiting beyond
Slack's 3 s. The parse tree is kept by the definition's text: nothing changes it.
"""

import sys

from moto.server import main
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
sys.exit(main())
