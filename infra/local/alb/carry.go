package alb

import (
	"slices"
	"time"

	"previewenv/infra/local/manner"
)

// carrier makes rules carry and drop traffic a moment after they were made and
// deleted, as manners say.
type carrier struct {
	manners *manner.Manners
	began   bool
	rules   map[string]*carried // by ARN
	seen    int
}

// carried is a rule, and when it begins to carry; gone is when it ends, if it was
// deleted.
type carried struct {
	rule
	from, gone time.Time
}

// carry returns the rules that carry traffic now, of those that there are. What was
// there at the first reading carries at once. Calls are in turn.
func (c *carrier) carry(there []rule, now time.Time) []rule {
	if c.manners == nil {
		return there
	}
	known := map[string]bool{}
	for _, r := range there {
		known[r.arn] = true
		if old := c.rules[r.arn]; old != nil {
			old.rule = r
			continue
		}
		made := &carried{rule: r, from: now}
		if c.began {
			made.from = now.Add(c.lot())
		}
		c.rules[r.arn] = made
	}
	c.began = true
	var out []rule
	for arn, r := range c.rules {
		if !known[arn] && r.gone.IsZero() {
			r.gone = now.Add(c.lot())
		}
		switch {
		case !r.gone.IsZero() && !r.gone.After(now):
			delete(c.rules, arn)
		case !r.from.After(now):
			out = append(out, r.rule)
		}
	}
	slices.SortFunc(out, func(x, y rule) int { return x.priority - y.priority })
	return out
}

func (c *carrier) lot() time.Duration {
	c.seen++
	return c.manners.Within(0, manner.RuleLast, "rule", c.seen)
}
