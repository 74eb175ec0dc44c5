package step

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"previewenv/lambdas/catalog"
	"previewenv/lambdas/config"
	"previewenv/lambdas/internal/baseline"
	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/kind"
	"previewenv/lambdas/internal/record"
	"previewenv/lambdas/internal/request"
	"previewenv/lambdas/kinds"
	"previewenv/lambdas/kinds/frontend"
	"previewenv/lambdas/kinds/queue"
	"previewenv/lambdas/kinds/rule"
	"previewenv/lambdas/kinds/service"
	"previewenv/lambdas/kinds/targetgroup"
	"previewenv/statemachine"
)

// Limits of names: docs.aws.amazon.com, ELBv2 CreateTargetGroup (32), ECS
// CreateService (255, kept short for people) and SQS CreateQueue (80, of which .fifo
// may take five).
const (
	targetGroupName = 32
	serviceName     = 64
	queueName       = 75
)

// Planner makes the rows of the ledger out of what is wanted and the live
// baseline.
type Planner struct {
	Config   config.Plan
	Services func(ctx context.Context, names ...string) (map[string]catalog.Service, error)
	Baseline *baseline.Reader
	Secrets  secretNames
	Records  *record.Store
}

// Draft is a plan that was checked against the baseline, before it has a revision.
type Draft struct {
	URL      string
	settings *catalog.Settings
	wanted   request.Wanted
	services map[string]catalog.Service
	backends map[string]baseline.Backend  // by service of the catalog
	queues   map[string]map[string]string // attributes, by queue of the catalog
	secrets  map[string]string            // ARNs, by the name of an override
	cost     float64
	notes    []string
}

// Draft reads what a request needs of the catalog and the baseline, and reports
// all that does not fit at once. It changes nothing.
func (p *Planner) Draft(ctx context.Context, settings *catalog.Settings, wanted request.Wanted) (*Draft, error) {
	services, err := p.Services(ctx, wanted.Services...)
	if err != nil {
		return nil, err
	}
	d := &Draft{
		URL:      strings.ReplaceAll(p.Config.PreviewURL, "{label}", wanted.Label),
		settings: settings, wanted: wanted, services: services,
		backends: map[string]baseline.Backend{}, queues: map[string]map[string]string{},
	}
	if err := p.route(record.Environment{Name: wanted.Label}, d).Value.Fits(); err != nil {
		return nil, err // before anything is built for it
	}
	if err := p.readSecrets(ctx, d); err != nil {
		return nil, err
	}
	if err := p.readBackends(ctx, d); err != nil {
		return nil, err
	}
	if err := p.readQueues(ctx, d); err != nil {
		return nil, err
	}
	d.notes = append(d.notes, callers(settings.Services, wanted.Services)...)
	return d, nil
}

func (p *Planner) readBackends(ctx context.Context, d *Draft) error {
	var names []string
	for _, name := range d.wanted.Services {
		if s := d.services[name]; s.Frontend == nil {
			names = append(names, s.ECSService)
		}
	}
	if len(names) == 0 {
		return nil
	}
	base := d.settings.Baseline
	running, err := p.Baseline.Backends(ctx, base.Cluster, names)
	if err != nil {
		return err
	}
	fallbacks, err := p.Baseline.Fallbacks(ctx, base.Listeners[0], base.Priorities.Fallbacks)
	if err != nil {
		return err
	}
	var faults fault.List
	for _, name := range d.wanted.Services {
		s := d.services[name]
		if s.Frontend != nil {
			continue
		}
		backend := running[s.ECSService]
		d.backends[name] = backend
		d.cost += hourly(backend.Definition)
		faults = append(faults, misfits(name, s, backend.Definition, d.settings.ExecutionRoles)...)
		if f := baseline.CheckFallback(name, s.Paths, *backend.TargetGroup.TargetGroupArn, fallbacks); f != nil {
			faults = append(faults, f)
		}
		if f := baseline.CheckProtocol(name, backend.TargetGroup); f != nil {
			faults = append(faults, f)
		}
	}
	return faults.Err()
}

func (p *Planner) readQueues(ctx context.Context, d *Draft) error {
	var faults fault.List
	for _, name := range d.wanted.Services {
		for _, q := range d.services[name].Consumes {
			if !d.wanted.Queues {
				d.notes = append(d.notes, name+" runs without the queue "+q+": ask with queues to give it one of its own.")
				continue
			}
			if _, known := d.queues[q]; known {
				continue
			}
			attributes, err := p.Baseline.Queue(ctx, d.settings.Queues[q].Clone)
			if f := fault.As(err); f != nil {
				faults = append(faults, f)
				continue
			}
			if err != nil {
				return err
			}
			d.queues[q] = attributes
		}
	}
	if d.wanted.Queues && len(d.queues) == 0 && len(faults) == 0 {
		d.notes = append(d.notes, "No selected service consumes a queue, so none was made.")
	}
	return faults.Err()
}

// Write gives a draft its revision: the rows first, then the plan.
func (p *Planner) Write(ctx context.Context, env record.Environment, d *Draft) (statemachine.Plan, error) {
	plan := statemachine.Plan{Environment: env.Name, Revision: env.Revision, Items: []statemachine.Item{}}
	rows, err := p.rows(env, d)
	if err != nil {
		return plan, err
	}
	life, _, err := p.Records.Load(ctx, env.Name)
	if err != nil {
		return plan, err
	}
	var services []record.Service
	for _, name := range d.wanted.Services {
		services = append(services, record.Service{
			Environment: env.Name, Name: name, Revision: env.Revision, Commit: d.wanted.Commit, State: record.ServiceQueued,
		})
	}
	if err := p.Records.WritePlan(ctx, life, services, rows); err != nil {
		return plan, err
	}
	plan.Items = items(env, d)
	_, err = p.Records.Change(ctx, env.Name, func(now *record.Environment) error {
		if err := now.Fenced(env.Revision); err != nil {
			return err
		}
		if now.State == record.Requested || now.Reverting {
			now.State = record.Building
		}
		now.Notes, now.CostPerHour = d.notes, d.cost
		return nil
	})
	return plan, err
}

func items(env record.Environment, d *Draft) []statemachine.Item {
	list := []statemachine.Item{}
	for _, q := range slices.Sorted(maps.Keys(d.queues)) {
		list = append(list, statemachine.Item{Environment: env.Name, Revision: env.Revision, Type: statemachine.Queue, Name: q})
	}
	for _, name := range d.wanted.Services {
		item := statemachine.Item{Environment: env.Name, Revision: env.Revision, Type: statemachine.Backend, Service: name, Name: name}
		if d.services[name].Frontend != nil {
			item.Type, item.Name = statemachine.Frontend, frontendRow(name, d.wanted.Commit)
		}
		list = append(list, item)
	}
	return list
}

// frontendRow names the ledger row of one build of a frontend: each commit has a
// prefix of its own, so that an update never writes over what is served.
func frontendRow(service, commit string) string { return service + "-" + commit[:12] }

// rows are the ledger rows of a plan.
func (p *Planner) rows(env record.Environment, d *Draft) ([]record.Resource, error) {
	var rows []record.Resource
	var failed error
	add := func(kindName, name, serviceName string, spec any, needs ...string) {
		data, err := json.Marshal(spec)
		if err != nil && failed == nil {
			failed = err
		}
		rows = append(rows, record.Resource{
			Environment: env.Name, Kind: kindName, Name: name, Service: serviceName,
			Revision: env.Revision, Incarnation: env.Incarnation, Rank: kinds.Rank(kindName),
			Spec: string(data), Needs: needs, State: record.Planned,
		})
	}
	for name, attributes := range d.queues {
		add("queue", name, "", queue.Clone(attributes, p.name(queueName, env, name)))
	}
	for _, name := range d.wanted.Services {
		if d.services[name].Frontend != nil {
			add("frontend", frontendRow(name, d.wanted.Commit), name, p.frontend(env, name, d))
			continue
		}
		group := "targetgroup/" + name
		add("targetgroup", name, "", targetgroup.Clone(d.backends[name].TargetGroup, p.name(targetGroupName, env, name)))
		add("rule", name, "", p.rule(env, name, d), group)
		spec, needs, err := p.service(env, name, d)
		if err != nil {
			return nil, err
		}
		add("service", name, name, spec, needs...)
	}
	add("route", env.Name, "", p.route(env, d))
	return rows, failed
}

// name is <prefix>-<label>-<name>-<incarnation>-<hash>: unique in the account, and
// free again at once when the label comes back. The incarnation has many digits, and a
// target group's name 32 characters.
func (p *Planner) name(limit int, env record.Environment, name string) string {
	return kind.Name(limit, p.Config.Prefix, env.Name, name, strconv.FormatInt(int64(env.Incarnation), 36))
}

func (p *Planner) rule(env record.Environment, name string, d *Draft) rule.Spec {
	base := d.settings.Baseline
	return rule.Spec{
		Listener: base.Listeners[0], Host: env.Name + "." + d.settings.BaseDomain, Paths: d.services[name].Paths,
		Band: base.Priorities.Overrides, TargetGroup: "targetgroup/" + name,
	}
}

func (p *Planner) service(env record.Environment, name string, d *Draft) (service.Spec, []string, error) {
	base := d.backends[name]
	variables, secrets := d.variables(env, name, base)
	needs := []string{"targetgroup/" + name}
	queues := map[string]string{}
	for variable, q := range d.services[name].Consumes {
		if d.wanted.Queues {
			queues[variable] = "queue/" + q
			needs = append(needs, "queue/"+q)
		}
	}
	slices.Sort(needs)
	spec, err := service.Clone(base.Service, base.Definition, service.Override{
		Name:  p.name(serviceName, env, name),
		Image: p.Config.Registry + "/" + name + ":" + d.wanted.Commit, Variables: variables, Secrets: secrets,
		QueueVariables: queues, TargetGroup: "targetgroup/" + name,
		TaskRole: d.services[name].PreviewTaskRole, ExecutionRole: d.services[name].PreviewExecutionRole,
	})
	return spec, slices.Compact(needs), err
}

func (p *Planner) frontend(env record.Environment, name string, d *Draft) frontend.Spec {
	return frontend.Spec{
		Artifacts: p.Config.Artifacts, Key: artifactKey(name, d.wanted.Commit),
		Site: p.Config.Site, Prefix: env.Name + "/" + d.wanted.Commit + "/", Distribution: p.Config.Distribution,
	}
}
