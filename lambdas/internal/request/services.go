package request

import (
	"slices"
	"strings"

	"previewenv/lambdas/catalog"
)

// mostServices of one environment: more than this is a copy of the whole stack,
// and half of a load balancer's 100 target groups.
const mostServices = 50

// services checks the selection. What is unknown or repeated is left out of what
// follows, so that the other fields are still checked against the rest.
func (p *pass) services() {
	var all []string
	for _, e := range p.Settings.Services {
		all = append(all, e.Name)
	}
	selected := p.request.ServicesToProvision
	if len(selected) == 0 {
		p.refuse(FieldServices, bad("No service is selected.").WithNext("Select at least one of %s.", strings.Join(all, ", ")))
	}
	if len(selected) > mostServices {
		p.refuse(FieldServices, bad("%d services are selected; an environment has at most %d.", len(selected), mostServices).
			WithNext("Select those that the pull request changes; the others are shared."))
	}
	times := map[string]int{}
	for _, name := range selected {
		times[name]++
		switch {
		case times[name] == 2:
			p.refuse(FieldServices, bad("The service %s is selected twice.", shown(name)).WithNext("Select it once."))
		case times[name] > 2:
		case slices.Contains(all, name):
			p.wanted.Services = append(p.wanted.Services, name)
		default:
			p.unknown(name, all)
		}
	}
	slices.Sort(p.wanted.Services)
	p.oneRepository()
}

func (p *pass) unknown(name string, all []string) {
	next := "Services are " + strings.Join(all, ", ") + "."
	if near := catalog.Nearest(name, all); near != "" {
		next = "Did you mean " + near + "? " + next
	}
	p.refuse(FieldServices, bad("There is no service %s.", shown(name)).WithNext("%s", next))
}

// oneRepository finds the repository of all selected services: one commit can only
// be that of one.
func (p *pass) oneRepository() {
	members := map[string][]string{}
	var repositories []string
	for _, name := range p.wanted.Services {
		entry, _ := p.entry(name)
		if _, known := members[entry.Repository]; !known {
			repositories = append(repositories, entry.Repository)
		}
		members[entry.Repository] = append(members[entry.Repository], name)
	}
	switch len(repositories) {
	case 0:
	case 1:
		p.repository = repositories[0]
		p.wanted.Repository = p.Settings.Repositories[p.repository].GitHub
	default:
		groups := make([]string, len(repositories))
		for i, r := range repositories {
			groups[i] = p.Settings.Repositories[r].GitHub + " (" + strings.Join(members[r], ", ") + ")"
		}
		p.refuse(FieldServices, bad("The selected services are of several repositories: %s.", strings.Join(groups, ", ")).
			WithNext("One commit is that of one repository; select services of one."))
	}
}
