package step

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"

	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"previewenv/lambdas/catalog"
	"previewenv/lambdas/internal/baseline"
	"previewenv/lambdas/internal/record"
)

// variables are what differs from the baseline in the environment of a service:
// hosts lead into the environment, what was asked for is laid over them, and the
// platform says where the service runs.
func (d *Draft) variables(env record.Environment, name string, base baseline.Backend) (variables, secrets map[string]string) {
	variables, secrets = map[string]string{}, map[string]string{}
	for variable, value := range baselineVariables(base) {
		if own, ok := onEnvironment(value, d.settings.Baseline.Host, d.URL); ok {
			variables[variable] = own
		}
	}
	for variable := range d.services[name].Calls {
		if _, mapped := variables[variable]; !mapped {
			variables[variable] = d.URL
		}
	}
	for variable := range d.services[name].Consumes {
		delete(variables, variable)
		if !d.wanted.Queues {
			variables[variable] = "" // never the baseline's queue
		}
	}
	for variable, value := range d.wanted.Overrides[name] {
		if value.Secret != "" {
			secrets[variable] = cmp.Or(d.secrets[value.Secret], value.Secret)
			continue
		}
		variables[variable] = value.Text
	}
	variables["PREVIEW_ENVIRONMENT"] = env.Name
	variables["PREVIEW_COMMIT"] = d.wanted.Commit
	variables["PREVIEW_URL"] = d.URL
	return variables, secrets
}

func baselineVariables(base baseline.Backend) map[string]string {
	variables := map[string]string{}
	container := base.Service.LoadBalancers[0].ContainerName
	for _, c := range base.Definition.ContainerDefinitions {
		if container == nil || c.Name == nil || *c.Name != *container {
			continue
		}
		for _, pair := range c.Environment {
			if pair.Name != nil && pair.Value != nil {
				variables[*pair.Name] = *pair.Value
			}
		}
	}
	return variables
}

// onEnvironment turns a value that leads to the baseline's host into one that
// leads to the environment, in the same shape: a URL keeps its path, a bare host
// stays a bare host.
func onEnvironment(value, baselineHost, environment string) (string, bool) {
	own, err := url.Parse(environment)
	if err != nil {
		return "", false
	}
	if !strings.Contains(value, "://") {
		host, _, _ := strings.Cut(value, ":")
		if strings.EqualFold(host, baselineHost) {
			return own.Host, true
		}
		return "", false
	}
	u, err := url.Parse(value)
	if err != nil || !strings.EqualFold(u.Hostname(), baselineHost) {
		return "", false
	}
	u.Scheme, u.Host = own.Scheme, own.Host
	return u.String(), true
}

// callers says which shared services call an overridden one: those calls leave
// the environment.
func callers(services []catalog.Entry, selected []string) []string {
	var notes []string
	for _, s := range services {
		if slices.Contains(selected, s.Name) {
			continue
		}
		for _, called := range s.Calls {
			if slices.Contains(selected, called) {
				notes = append(notes, s.Name+" is the shared one and calls the shared "+called+"; add "+s.Name+" to the request to keep those calls in the environment.")
			}
		}
	}
	return notes
}

// On-demand Fargate prices of us-east-1 in US dollars an hour (facts of Nov 2026:
// vantage.sh/blog/fargate-pricing): a vCPU and a GB, on ARM and on x86.
const (
	armCPU, armGB = 0.03238, 0.00356
	x86CPU, x86GB = 0.04048, 0.004445
)

// hourly is the price of one task of a definition, 0 when it names no size.
func hourly(definition ecstypes.TaskDefinition) float64 {
	units, mebibytes := size(definition.Cpu), size(definition.Memory)
	if p := definition.RuntimePlatform; p != nil && p.CpuArchitecture == ecstypes.CPUArchitectureArm64 {
		return units/1024*armCPU + mebibytes/1024*armGB
	}
	return units/1024*x86CPU + mebibytes/1024*x86GB
}

func size(s *string) float64 {
	if s == nil {
		return 0
	}
	n, err := strconv.ParseFloat(*s, 64)
	if err != nil {
		return 0
	}
	return n
}
