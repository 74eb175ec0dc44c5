package codebuild

import (
	"cmp"
	"context"
	"errors"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
)

// Statuses of builds and phases.
const (
	inProgress = "IN_PROGRESS"
	succeeded  = "SUCCEEDED"
	failed     = "FAILED"
	timedOut   = "TIMED_OUT"
	stopped    = "STOPPED"
)

// Why a build's context ended.
var (
	errStopped  = errors.New("build stopped")
	errTimedOut = errors.New("build timed out")
)

// epoch is a time as the JSON protocol spells it, in seconds.
type epoch float64

func at(t time.Time) epoch { return epoch(float64(t.UnixMilli()) / 1000) }

func (e epoch) time() time.Time { return time.UnixMilli(int64(e * 1000)).UTC() }

// buildState is a build as the API spells it.
type buildState struct {
	ID               string         `json:"id"`
	ARN              string         `json:"arn"`
	BuildNumber      int            `json:"buildNumber"`
	StartTime        epoch          `json:"startTime"`
	EndTime          epoch          `json:"endTime,omitempty"`
	CurrentPhase     string         `json:"currentPhase"`
	BuildStatus      string         `json:"buildStatus"`
	SourceVersion    string         `json:"sourceVersion,omitempty"`
	ProjectName      string         `json:"projectName"`
	Phases           []phase        `json:"phases"`
	Source           sourceState    `json:"source"`
	Artifacts        artifactState  `json:"artifacts"`
	Environment      containerState `json:"environment"`
	ServiceRole      string         `json:"serviceRole,omitempty"`
	Logs             logState       `json:"logs"`
	TimeoutInMinutes int            `json:"timeoutInMinutes"`
	BuildComplete    bool           `json:"buildComplete"`
	Initiator        string         `json:"initiator"`
}

type phase struct {
	PhaseType         string         `json:"phaseType"`
	PhaseStatus       string         `json:"phaseStatus,omitempty"`
	StartTime         epoch          `json:"startTime"`
	EndTime           epoch          `json:"endTime,omitempty"`
	DurationInSeconds int            `json:"durationInSeconds"`
	Contexts          []phaseContext `json:"contexts,omitempty"`
}

type phaseContext struct {
	StatusCode string `json:"statusCode"`
	Message    string `json:"message"`
}

type sourceState struct {
	Type      string `json:"type"`
	Location  string `json:"location,omitempty"`
	Buildspec string `json:"buildspec,omitempty"`
}

type artifactState struct {
	Location  string `json:"location,omitempty"`
	SHA256Sum string `json:"sha256sum,omitempty"`
	MD5Sum    string `json:"md5sum,omitempty"`
}

type containerState struct {
	Type                 string     `json:"type"`
	Image                string     `json:"image"`
	ComputeType          string     `json:"computeType"`
	EnvironmentVariables []variable `json:"environmentVariables,omitempty"`
	PrivilegedMode       bool       `json:"privilegedMode"`
}

type logState struct {
	GroupName         string `json:"groupName"`
	StreamName        string `json:"streamName"`
	DeepLink          string `json:"deepLink"`
	CloudWatchLogsARN string `json:"cloudWatchLogsArn"`
}

// build is one build: what is known of it and the means to end it.
type build struct {
	spec   buildSpec
	ctx    context.Context
	cancel context.CancelCauseFunc

	mu  sync.Mutex
	out buildState
}

// buildSpec is a project with the overrides of one StartBuild.
type buildSpec struct {
	project       types.Project
	sourceVersion string
	location      string
	buildspec     string // a path in the source, or the text itself
	artifacts     artifactsInput
	variables     []variable
	minutes       int
}

func merge(p types.Project, in startInput) (buildSpec, error) {
	out := buildSpec{project: p, sourceVersion: in.SourceVersion, minutes: int(aws.ToInt32(p.TimeoutInMinutes))}
	if p.Source == nil || p.Source.Type != types.SourceTypeS3 {
		return out, invalid("project " + aws.ToString(p.Name) + ": the local CodeBuild takes a source in S3")
	}
	out.location, out.buildspec = aws.ToString(p.Source.Location), aws.ToString(p.Source.Buildspec)
	if a := p.Artifacts; a != nil {
		out.artifacts = artifactsInput{
			Type: string(a.Type), Location: aws.ToString(a.Location), Path: aws.ToString(a.Path), NamespaceType: string(a.NamespaceType),
			Name: aws.ToString(a.Name), Packaging: string(a.Packaging), OverrideArtifactName: aws.ToBool(a.OverrideArtifactName),
		}
	}
	if p.Environment != nil {
		for _, v := range p.Environment.EnvironmentVariables {
			out.variables = append(out.variables, variable{aws.ToString(v.Name), aws.ToString(v.Value), string(v.Type)})
		}
	}
	for _, v := range in.EnvironmentVariablesOverride {
		out.variables = slices.DeleteFunc(out.variables, func(old variable) bool { return old.Name == v.Name })
		out.variables = append(out.variables, v)
	}
	for i, v := range out.variables {
		if v.Type == "" {
			out.variables[i].Type = "PLAINTEXT"
		} else if v.Type != "PLAINTEXT" {
			return out, invalid("variable " + v.Name + ": the local CodeBuild takes PLAINTEXT only, not " + v.Type)
		}
	}
	out.sourceVersion = cmp.Or(out.sourceVersion, aws.ToString(p.SourceVersion))
	out.location = cmp.Or(in.SourceLocationOverride, out.location)
	out.buildspec = cmp.Or(in.BuildspecOverride, out.buildspec, "buildspec.yml")
	if in.ArtifactsOverride != nil {
		out.artifacts = *in.ArtifactsOverride
	}
	if in.TimeoutInMinutesOverride != 0 {
		out.minutes = in.TimeoutInMinutesOverride
	}
	if out.minutes == 0 {
		out.minutes = 60
	}
	return out, nil
}

// newBuild makes a build in its first two phases; the caller holds the lock.
func (b *Builds) newBuild(spec buildSpec) *build {
	name := aws.ToString(spec.project.Name)
	stream := newID()
	id, region := name+":"+stream, b.options.Config.Region
	group := "/aws/codebuild/" + name
	if c := spec.project.LogsConfig; c != nil && c.CloudWatchLogs != nil && c.CloudWatchLogs.GroupName != nil {
		group = *c.CloudWatchLogs.GroupName
		stream = path.Join(aws.ToString(c.CloudWatchLogs.StreamName), stream)
	}
	now := at(time.Now())
	r := &build{spec: spec}
	r.ctx, r.cancel = context.WithCancelCause(b.ctx)
	number := 1
	for _, other := range b.builds {
		if other.out.ProjectName == name {
			number++
		}
	}
	r.out = buildState{
		ID: id, ARN: "arn:aws:codebuild:" + region + ":" + account + ":build/" + id,
		BuildNumber: number, StartTime: now, CurrentPhase: "QUEUED", BuildStatus: inProgress,
		SourceVersion: spec.sourceVersion, ProjectName: name, ServiceRole: aws.ToString(spec.project.ServiceRole),
		TimeoutInMinutes: spec.minutes, Initiator: "local",
		Phases: []phase{{PhaseType: "SUBMITTED", PhaseStatus: succeeded, StartTime: now, EndTime: now}, {PhaseType: "QUEUED", StartTime: now}},
		Source: sourceState{Type: string(types.SourceTypeS3), Location: spec.location, Buildspec: spec.buildspec},
		Logs: logState{
			GroupName: group, StreamName: stream,
			DeepLink:          "https://console.aws.amazon.com/cloudwatch/home?region=" + region + "#logEvent:group=" + group + ";stream=" + stream,
			CloudWatchLogsARN: "arn:aws:logs:" + region + ":" + account + ":log-group:" + group + ":log-stream:" + stream,
		},
		Environment: containerState{EnvironmentVariables: spec.variables},
	}
	if spec.artifacts.Type == "S3" {
		r.out.Artifacts.Location = "arn:aws:s3:::" + spec.artifacts.Location + "/" + spec.artifacts.key(id, "")
	}
	if e := spec.project.Environment; e != nil {
		r.out.Environment.Type, r.out.Environment.ComputeType = string(e.Type), string(e.ComputeType)
		r.out.Environment.Image, r.out.Environment.PrivilegedMode = aws.ToString(e.Image), aws.ToBool(e.PrivilegedMode)
	}
	return r
}

// key is where the artifact goes in its bucket; name, the buildspec's, counts
// only if the project lets it.
func (a artifactsInput) key(buildID, name string) string {
	if !a.OverrideArtifactName || name == "" {
		name = a.Name
	}
	namespace := ""
	if a.NamespaceType == "BUILD_ID" {
		_, namespace, _ = strings.Cut(buildID, ":")
	}
	return strings.TrimPrefix(path.Join(a.Path, namespace, name), "/")
}

// snapshot is what the API says of the build now.
func (r *build) snapshot() buildState {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.out
	out.Phases = slices.Clone(out.Phases)
	return out
}

// enter begins a phase.
func (r *build) enter(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.out.CurrentPhase = name
	r.out.Phases = append(r.out.Phases, phase{PhaseType: name, StartTime: at(time.Now())})
}

// leave ends the phase that was entered last.
func (r *build) leave(status string, contexts ...phaseContext) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := &r.out.Phases[len(r.out.Phases)-1]
	now := time.Now()
	p.PhaseStatus, p.EndTime, p.Contexts = status, at(now), contexts
	p.DurationInSeconds = int(now.Sub(p.StartTime.time()).Seconds())
}

// end closes whatever is open and sets the build's status.
func (r *build) end(status string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := at(time.Now())
	if p := &r.out.Phases[len(r.out.Phases)-1]; p.PhaseStatus == "" {
		p.PhaseStatus, p.EndTime = status, now
	}
	r.out.Phases = append(r.out.Phases, phase{PhaseType: "COMPLETED", StartTime: now})
	r.out.CurrentPhase, r.out.BuildStatus, r.out.EndTime, r.out.BuildComplete = "COMPLETED", status, now, true
	r.cancel(nil)
}

// ended is the status that the end of the build's context means, empty while it
// has not ended.
func (r *build) ended() string {
	switch {
	case r.ctx.Err() == nil:
		return ""
	case errors.Is(context.Cause(r.ctx), errTimedOut):
		return timedOut
	default:
		return stopped
	}
}
