package step

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	cbtypes "github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/record"
	"previewenv/lambdas/internal/source"
	"previewenv/statemachine"
)

// tailLines is what of a log is shown to a person; the rest is behind the link.
const tailLines = 15

type logsAPI interface {
	GetLogEvents(context.Context, *cloudwatchlogs.GetLogEventsInput, ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.GetLogEventsOutput, error)
}

// BuildEvent is EventBridge's "CodeBuild Build State Change", as far as it is read
// (docs.aws.amazon.com/codebuild/latest/userguide/sample-build-notifications.html).
type BuildEvent struct {
	DetailType string `json:"detail-type"`
	Detail     struct {
		Status  string `json:"build-status"`
		ID      string `json:"build-id"` // ARN
		Project string `json:"project-name"`
		More    struct {
			Logs struct {
				Group    string `json:"group-name"`
				Stream   string `json:"stream-name"`
				DeepLink string `json:"deep-link"`
			} `json:"logs"`
			Phases []struct {
				Type    string   `json:"phase-type"`
				Status  string   `json:"phase-status"`
				Context []string `json:"phase-context"`
			} `json:"phases"`
		} `json:"additional-information"`
	} `json:"detail"`
}

// result is the end of a build, from whichever side it was heard.
type result struct {
	ID, Status          string
	Phase, Context      string
	Group, Stream, Link string
	Output              string // ARN of what a frontend's build left
}

// Ended takes the event of a build that has ended, and tells everybody who waits
// for it. The same event twice finds nobody the second time.
func (b *Build) Ended(ctx context.Context, event BuildEvent) error {
	d := event.Detail
	service, ours := strings.CutPrefix(d.Project, b.Config.Prefix+"-ephemeral-")
	if !ours || d.Status == "IN_PROGRESS" {
		return nil
	}
	r := result{ID: buildID(d.ID), Status: d.Status, Group: d.More.Logs.Group, Stream: d.More.Logs.Stream, Link: d.More.Logs.DeepLink}
	for _, phase := range d.More.Phases {
		if phase.Status != "" && phase.Status != "SUCCEEDED" {
			r.Phase, r.Context = phase.Type, strings.Trim(strings.Join(phase.Context, " "), ": ")
			break
		}
	}
	j, err := b.jobOf(ctx, service, &r)
	if err != nil || j.Commit == "" {
		return err
	}
	return b.end(ctx, j, r)
}

// jobOf asks CodeBuild which version of the source a build had, and the source which
// commit it is of. Both stand before the build can end, so that its end is known
// however soon it is told. A job without a commit is one that nobody waits for.
func (b *Build) jobOf(ctx context.Context, service string, r *result) (job, error) {
	services, err := b.Services(ctx, service)
	if err != nil {
		return job{}, err
	}
	out, err := b.CodeBuild.BatchGetBuilds(ctx, &codebuild.BatchGetBuildsInput{Ids: []string{r.ID}})
	if err != nil {
		return job{}, fmt.Errorf("look at build %s: %w", r.ID, err)
	}
	if len(out.Builds) == 0 {
		b.Log.Warn("build not known", "build", r.ID)
		return job{}, nil
	}
	r.Output = ended(out.Builds[0]).Output
	commit, err := b.commitOf(ctx, service, aws.ToString(out.Builds[0].SourceVersion))
	return job{Service: service, Commit: commit, Definition: services[service]}, err
}

// buildID is the last part of a build's ARN, which is how StartBuild names it.
func buildID(arn string) string {
	_, id, found := strings.Cut(arn, ":build/")
	if !found {
		return arn
	}
	return id
}

// ended reads the end of a build off CodeBuild's own answer.
func ended(build cbtypes.Build) result {
	r := result{ID: aws.ToString(build.Id), Status: string(build.BuildStatus)}
	if build.Logs != nil {
		r.Group, r.Stream, r.Link = aws.ToString(build.Logs.GroupName), aws.ToString(build.Logs.StreamName), aws.ToString(build.Logs.DeepLink)
	}
	if build.Artifacts != nil {
		r.Output = aws.ToString(build.Artifacts.Location)
	}
	for _, phase := range build.Phases {
		if phase.PhaseStatus != "" && phase.PhaseStatus != cbtypes.StatusTypeSucceeded {
			r.Phase = string(phase.PhaseType)
			for _, c := range phase.Contexts {
				r.Context = strings.TrimSpace(r.Context + " " + aws.ToString(c.Message))
			}
			break
		}
	}
	return r
}

// end tells the waiters of a build how it went. A build that succeeded and left
// nothing is a failure: the next step would have nothing to run.
func (b *Build) end(ctx context.Context, j job, r result) error {
	var f *fault.Fault
	if r.Status == string(cbtypes.StatusTypeSucceeded) {
		built, err := b.left(ctx, j, r)
		if err != nil {
			return err
		}
		if !built {
			f = producedNothing(j)
		}
	} else {
		f = b.buildFault(ctx, j, r)
	}
	waiters, err := b.Records.EndBuild(ctx, j.Service, j.Commit, r.ID)
	if err != nil {
		return err
	}
	b.Log.Info("build ended", "name", j.Service, "commit", j.Commit, "status", r.Status, "waiters", len(waiters))
	if f == nil {
		err = b.succeed(ctx, j, waiters, r.Link)
	} else {
		f.Service, f.Step, f.Log = j.Service, "build", r.Link
		err = b.fail(ctx, waiters, f)
	}
	if err != nil {
		return err
	}
	return b.Records.Told(ctx, j.Service, j.Commit, waiters)
}

func producedNothing(j job) *fault.Fault {
	if j.Definition.Frontend != nil {
		return fault.New(statemachine.ErrBuildFailed, "the build succeeded, but left no output.").
			WithNext("Its buildspec must list the built files under artifacts, with %s as base-directory.", j.Definition.Frontend.Output)
	}
	return fault.New(statemachine.ErrBuildFailed, "the build succeeded, but pushed no image for the commit.").
		WithNext("Its buildspec must push $IMAGE_REPOSITORY with the commit as its tag, which is in the file %s.", source.CommitFile)
}

// buildFault says in which phase a build ended, why, and the last lines of its log.
func (b *Build) buildFault(ctx context.Context, j job, r result) *fault.Fault {
	var f *fault.Fault
	switch r.Status {
	case string(cbtypes.StatusTypeTimedOut):
		f = fault.New(statemachine.ErrBuildFailed, "the build ran longer than its time limit, in phase %s.", orUnknown(r.Phase)).
			WithNext("Make it quicker, or raise build.timeout of %s in the catalog.", j.Service)
	case string(cbtypes.StatusTypeStopped):
		f = fault.New(statemachine.ErrBuildFailed, "the build was stopped by hand.").WithNext("Ask again.")
	case "LOST":
		f = fault.New(statemachine.ErrBuildFailed, "CodeBuild no longer knows the build.").WithNext("Ask again.")
	default:
		f = fault.New(statemachine.ErrBuildFailed, "the build failed in phase %s: %s", orUnknown(r.Phase), orUnknown(r.Context)).
			WithNext("Push a fix and ask for the new commit.")
	}
	f.Tail = b.tail(ctx, r)
	return f
}

// tail reads the last lines of a build's log; a log that cannot be read is no
// reason to hide why the build failed.
func (b *Build) tail(ctx context.Context, r result) string {
	if r.Group == "" || r.Stream == "" {
		return ""
	}
	out, err := b.Logs.GetLogEvents(ctx, &cloudwatchlogs.GetLogEventsInput{
		LogGroupName: &r.Group, LogStreamName: &r.Stream, StartFromHead: aws.Bool(false), Limit: aws.Int32(tailLines),
	})
	if err != nil {
		b.Log.Warn("build log not read", "group", r.Group, "stream", r.Stream)
		return ""
	}
	lines := make([]string, 0, len(out.Events))
	for _, event := range out.Events {
		lines = append(lines, strings.TrimRight(aws.ToString(event.Message), "\n"))
	}
	return strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}

// building shows on every waiting service's row that its build runs.
func (b *Build) building(ctx context.Context, j job, link string, waiters []string) error {
	for _, w := range record.Waiters(waiters) {
		err := b.Records.SetService(ctx, w.Environment, j.Service, w.Revision, func(row *record.Service) {
			row.State, row.Log, row.Fault = record.ServiceBuilding, link, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *Build) succeed(ctx context.Context, j job, waiters []record.Waiter, link string) error {
	for _, w := range waiters {
		err := b.Records.SetService(ctx, w.Environment, j.Service, w.Revision, func(row *record.Service) {
			row.State, row.Fault = record.ServiceBuilt, nil
			if link != "" {
				row.Log = link
			}
		})
		if err != nil {
			return err
		}
		if _, err := endWait(ctx, b.SFN, w.Token, "{}"); err != nil {
			return fmt.Errorf("tell %s of its build: %w", w.Environment, err)
		}
	}
	return nil
}

func (b *Build) fail(ctx context.Context, waiters []record.Waiter, f *fault.Fault) error {
	for _, w := range waiters {
		if err := failService(ctx, b.Records, w.Environment, f.Service, w.Revision, f); err != nil {
			return err
		}
		if err := failWait(ctx, b.SFN, w.Token, f); err != nil {
			return fmt.Errorf("tell %s of its failed build: %w", w.Environment, err)
		}
	}
	return nil
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}
