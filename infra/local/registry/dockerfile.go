package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// recipe is a Dockerfile as far as it is understood here.
type recipe struct {
	copies []copyStep
	config v1.Config
}

// copyStep is one COPY.
type copyStep struct {
	line    int
	sources []string
	target  string // absolute; with a slash at the end it is a folder
}

// parse reads a Dockerfile and reports every instruction that it cannot follow, each
// by its line.
func parse(text string) (recipe, error) {
	r := recipe{config: v1.Config{WorkingDir: "/"}}
	var faults []error
	began := false
	for _, in := range instructions(text) {
		fail := func(err error) {
			if err != nil {
				faults = append(faults, fmt.Errorf("line %d: %s: %w", in.line, in.name, err))
			}
		}
		switch {
		case in.name == "FROM" && began:
			fail(errors.New("a second stage is not supported here"))
		case in.name == "FROM":
			began = true
			fail(in.single())
		case !began:
			fail(errors.New("the first instruction must be FROM"))
		default:
			fail(r.apply(in))
		}
	}
	if !began && len(faults) == 0 {
		faults = append(faults, errors.New("there is no FROM"))
	}
	return r, errors.Join(faults...)
}

// instruction is one line of a Dockerfile, continuation lines joined.
type instruction struct {
	line int
	name string
	args string
}

func instructions(text string) []instruction {
	var found []instruction
	var open *instruction
	for number, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		// Empty lines and comments are dropped even inside a continued instruction.
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		rest, more := strings.CutSuffix(line, `\`)
		if open == nil {
			name, args, _ := strings.Cut(strings.TrimSpace(rest), " ")
			found = append(found, instruction{line: number + 1, name: strings.ToUpper(name), args: strings.TrimSpace(args)})
			open = &found[len(found)-1]
		} else {
			open.args = strings.TrimSpace(open.args + " " + strings.TrimSpace(rest))
		}
		if !more {
			open = nil
		}
	}
	return found
}

// single refuses whatever is not one word.
func (in instruction) single() error {
	if len(strings.Fields(in.args)) != 1 {
		return fmt.Errorf("%q is not one word", in.args)
	}
	return nil
}

func (r *recipe) apply(in instruction) error {
	exec := in.name == "ENTRYPOINT" || in.name == "CMD"
	if !exec && strings.Contains(in.args, "$") {
		return errors.New("variables are not supported here")
	}
	switch in.name {
	case "COPY":
		return r.copy(in)
	case "ENV":
		pairs, err := pairs(in.args)
		for _, p := range pairs {
			r.config.Env = append(r.config.Env, p[0]+"="+p[1])
		}
		return err
	case "LABEL":
		pairs, err := pairs(in.args)
		for _, p := range pairs {
			put(&r.config.Labels, p[0], p[1])
		}
		return err
	case "EXPOSE":
		for _, port := range strings.Fields(in.args) {
			if !strings.Contains(port, "/") {
				port += "/tcp"
			}
			put(&r.config.ExposedPorts, port, struct{}{})
		}
		return nil
	case "USER":
		r.config.User = in.args
		return in.single()
	case "WORKDIR":
		r.config.WorkingDir = r.absolute(in.args)
		return in.single()
	case "ENTRYPOINT", "CMD":
		var words []string
		if err := json.Unmarshal([]byte(in.args), &words); err != nil || len(words) == 0 {
			return errors.New(`only the exec form is supported here: ["program", "argument"]`)
		}
		if in.name == "CMD" {
			r.config.Cmd = words
		} else {
			r.config.Entrypoint = words
		}
		return nil
	}
	return errors.New("this instruction is not supported here; FROM, COPY, ENV, EXPOSE, USER, WORKDIR, LABEL, ENTRYPOINT and CMD are")
}

func (r *recipe) copy(in instruction) error {
	parts := strings.Fields(in.args)
	if strings.HasPrefix(in.args, "[") || strings.ContainsAny(in.args, `*?"'`) || strings.HasPrefix(in.args, "--") {
		return errors.New("options, patterns and quotes are not supported here")
	}
	if len(parts) < 2 {
		return errors.New("it needs a source and a target")
	}
	target := parts[len(parts)-1]
	if len(parts) > 2 && !strings.HasSuffix(target, "/") {
		return errors.New("with several sources the target must end in a slash")
	}
	absolute := r.absolute(target)
	if strings.HasSuffix(target, "/") || target == "." {
		absolute = strings.TrimSuffix(absolute, "/") + "/"
	}
	r.copies = append(r.copies, copyStep{line: in.line, sources: parts[:len(parts)-1], target: absolute})
	return nil
}

func (r *recipe) absolute(name string) string {
	if path.IsAbs(name) {
		return path.Clean(name)
	}
	return path.Join(r.config.WorkingDir, name)
}

// pairs reads K=V K2="a b", or the older form K V.
func pairs(args string) ([][2]string, error) {
	words, err := words(args)
	if err != nil {
		return nil, err
	}
	if len(words) > 1 && !strings.Contains(words[0], "=") {
		name, value, _ := strings.Cut(args, " ")
		return [][2]string{{name, strings.TrimSpace(value)}}, nil
	}
	var found [][2]string
	for _, word := range words {
		name, value, ok := strings.Cut(word, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("%q is no NAME=value", word)
		}
		found = append(found, [2]string{name, value})
	}
	if len(found) == 0 {
		return nil, errors.New("it needs NAME=value")
	}
	return found, nil
}

// words splits at spaces that are not quoted, and takes the quotes away.
func words(text string) ([]string, error) {
	var found []string
	var word strings.Builder
	var quote rune
	inWord, escaped := false, false
	for _, c := range text {
		switch {
		case escaped:
			word.WriteRune(c)
			escaped = false
		case c == '\\' && quote != '\'':
			escaped, inWord = true, true
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote, inWord = c, true
		case quote == 0 && (c == ' ' || c == '\t'):
			if inWord {
				found = append(found, word.String())
			}
			word.Reset()
			inWord = false
		default:
			word.WriteRune(c)
			inWord = true
		}
	}
	if quote != 0 || escaped {
		return nil, fmt.Errorf("%q has a quote without its end", text)
	}
	if inWord {
		found = append(found, word.String())
	}
	return found, nil
}

func put[V any](m *map[string]V, key string, value V) {
	if *m == nil {
		*m = map[string]V{}
	}
	(*m)[key] = value
}
