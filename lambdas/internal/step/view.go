package step

import (
	"fmt"
	"slices"
	"strings"

	"previewenv/lambdas/catalog"
	"previewenv/lambdas/internal/record"
	"previewenv/lambdas/internal/slack"
)

// view is the record of an environment as its message shows it.
func view(life record.Life, settings *catalog.Settings, console string) slack.View {
	env := life.Environment
	v := slack.View{
		Label: env.Name, URL: env.URL, State: string(env.State),
		Commit: env.Wanted.Commit, PullRequest: env.Wanted.PullRequest,
		Owner: env.Owner, CreatedAt: env.CreatedAt, ExpiresAt: env.ExpiresAt, CostPerHour: env.CostPerHour,
		Fault: env.Fault, Notes: slices.Clone(env.Notes), Receipt: report(env),
	}
	if repository := env.Wanted.Repository; repository != "" {
		v.CommitURL = "https://github.com/" + repository + "/commit/" + env.Wanted.Commit
		if env.Wanted.PullRequest > 0 {
			v.PullRequestURL = fmt.Sprintf("https://github.com/%s/pull/%d", repository, env.Wanted.PullRequest)
		}
	}
	if console != "" && strings.HasPrefix(env.Execution, "arn:") {
		v.ExecutionURL = strings.ReplaceAll(console, "{execution}", env.Execution)
	}
	if env.Reason != "" && !env.State.Live() {
		v.Notes = append(v.Notes, "Removed because "+env.Reason+".")
	}
	v.Services = lines(life, settings)
	for _, row := range life.Resources {
		if row.Kind == "queue" && row.State == record.Present {
			v.Queues = append(v.Queues, row.Name)
		}
	}
	if env.Fault != nil && env.Good != nil && env.State == record.Degraded {
		v.Notes = append(v.Notes, "The last good commit "+short(env.Good.Commit)+" serves.")
	}
	return v
}

// lines are all services of the catalog: the environment's own, and the shared.
func lines(life record.Life, settings *catalog.Settings) []slack.ServiceLine {
	var all []slack.ServiceLine
	env := life.Environment
	for _, entry := range settings.Services {
		row := life.Service(entry.Name)
		if !slices.Contains(env.Wanted.Services, entry.Name) || row == nil {
			if entry.Repository == repositoryKey(settings, env.Wanted.Repository) {
				all = append(all, slack.ServiceLine{Name: entry.Name, Source: slack.Shared, State: "shared"})
			}
			continue
		}
		line := slack.ServiceLine{
			Name: entry.Name, Source: slack.Override, State: string(row.State), Commit: row.Commit, Detail: row.Detail, LogURL: row.Log,
		}
		if !env.State.Live() && env.State != record.CleaningUp && row.State != record.ServiceFailed {
			line.State, line.Detail = "removed", ""
		}
		all = append(all, line)
	}
	return all
}

// repositoryKey is the catalog's name of a GitHub repository.
func repositoryKey(settings *catalog.Settings, github string) string {
	for key, r := range settings.Repositories {
		if r.GitHub == github {
			return key
		}
	}
	return ""
}

func short(commit string) string { return commit[:min(len(commit), 7)] }
