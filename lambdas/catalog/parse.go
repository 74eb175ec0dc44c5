package catalog

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Parse reads the file strictly and checks what it says. The error is of type
// Faults and holds everything that is wrong, so that one look mends it all.
func Parse(data []byte) (*Catalog, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document yaml.Node
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return nil, Faults{{Line: 1, What: "the catalog is empty"}}
	} else if err != nil {
		return nil, syntaxFault(err)
	}

	read := newStrict()
	c := &Catalog{}
	root := document.Content[0]
	read.read(root, reflect.ValueOf(c).Elem(), "")
	if err := decoder.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		read.fault(root.Line, "", "one document is read; this file has more, or ends in something that is none")
	}

	check := &checker{Catalog: c, strict: read}
	check.settings()
	check.services()
	check.queues()
	check.installation()
	if err := read.faults.err(); err != nil {
		return nil, err
	}
	return c, nil
}

// lineOf finds the line in the text of an error, the only place where yaml.v3
// gives that of a syntax error.
var lineOf = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

func syntaxFault(err error) Faults {
	text := err.Error()
	line := 1
	if found := lineOf.FindStringSubmatch(text); found != nil {
		text = strings.TrimPrefix(text, found[0])
		if number, err := strconv.Atoi(found[1]); err == nil {
			line = number
		}
	}
	return Faults{{Line: line, What: "is no YAML: " + text}}
}
