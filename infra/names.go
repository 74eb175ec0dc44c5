package main

import (
	"fmt"
	"maps"
	"slices"
)

// stackName has capitals, so that no name that CloudFormation makes of it starts as
// an environment's resources do: what starts so, the reaper may remove.
func stackName(prefix, service string) string {
	name := "PreviewEnvironments-" + prefix
	if service != "" {
		name += "-" + service
	}
	return name
}

// arn is that of a resource of this account and region.
func (s settings) arn(service, resource string) string {
	return fmt.Sprintf("arn:aws:%s:%s:%s:%s", service, s.region, s.account, resource)
}

// backends are the names of the catalog's backends, sorted.
func (s settings) backends() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(s.catalog.Services)), func(name string) bool {
		return s.catalog.Services[name].Frontend != nil
	})
}

// passable are the roles that previews run and start with, sorted.
func (s settings) passable() []string {
	roles := slices.Clone(s.catalog.Installation.ExecutionRoles)
	for _, service := range s.catalog.Services {
		for _, role := range []string{service.PreviewTaskRole, service.PreviewExecutionRole} {
			if role != "" {
				roles = append(roles, role)
			}
		}
	}
	slices.Sort(roles)
	return slices.Compact(roles)
}

func (s settings) catalogPath() string { return "/" + s.prefix + "/catalog" }

func (s settings) machineName() string { return s.prefix + "-environment" }

func (s settings) boundaryName() string { return s.prefix + "-preview-boundary" }

// functionName is stable, so that the console and the ASL's history read alike.
func (s settings) functionName(name string) string { return s.prefix + "-" + name }

// secretName is that of a secret that the platform team has put into Secrets
// Manager; nothing here ever sees its value.
func (s settings) secretName(name string) string { return s.prefix + "/" + name }
