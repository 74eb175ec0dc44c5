package stack

import (
	"path/filepath"
	"sync"

	"previewenv/infra/local/edge"
	"previewenv/infra/local/model"
	"previewenv/infra/local/moto"
)

// Violation is what AWS's models do not allow of a call, and whose call it was.
type Violation struct {
	Caller, Environment string
	model.Violation
}

// String is one line.
func (v Violation) String() string { return v.Caller + " " + v.Violation.String() }

// violations are those of a stack, oldest first.
type violations struct {
	mu  sync.Mutex
	all []Violation
}

// Violations are those since a mark, and the mark of now; 0 is the start.
func (s *Stack) Violations(mark int) (found []Violation, now int) {
	v := &s.violations
	v.mu.Lock()
	defer v.mu.Unlock()
	return append(found, v.all[mark:]...), len(v.all)
}

// judge has every call held against AWS's models. What is only the emulator's is left
// out.
func (s *Stack) judge() error {
	models, err := model.Load(filepath.Join(s.options.Root, ".local", "venv", "bin"))
	if err != nil {
		return err
	}
	s.Edge.Judge(models, func(c edge.Call, found []model.Violation) {
		for _, one := range found {
			if moto.Deviates(one) != "" {
				continue
			}
			v := Violation{c.Caller, c.Environment, one}
			s.options.Log.Error("AWS would not have it so", "call", v.String())
			s.violations.mu.Lock()
			s.violations.all = append(s.violations.all, v)
			s.violations.mu.Unlock()
		}
	})
	return nil
}
