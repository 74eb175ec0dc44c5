package codebuild

import (
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// job is a build that runs: its source, its shell and its log.
type job struct {
	*build
	source string
	spec02 buildspec
	shell  *shell
	log    *buildLog
	failed bool
}

// run takes the build from its queue to its end. AWS's order of phases: what
// fails before BUILD ends it, POST_BUILD comes after BUILD however that ended,
// and the artifacts are uploaded unless POST_BUILD failed
// (docs.aws.amazon.com/codebuild/latest/userguide/view-build-details-phases.html).
func (b *Builds) run(r *build) {
	r.leave(succeeded)
	timeout := b.options.Timeout
	if timeout == 0 {
		timeout = time.Duration(r.spec.minutes) * time.Minute
	}
	timer := time.AfterFunc(timeout, func() { r.cancel(errTimedOut) })
	defer timer.Stop()
	j := &job{build: r}
	folder, err := b.provision(j)
	defer func() { _ = os.RemoveAll(folder) }()
	if err != nil {
		r.leave(failed, phaseContext{"INTERNAL_SERVICE_ERROR", err.Error()})
		r.end(failed)
		return
	}
	r.leave(succeeded)
	b.phases(j)
	j.enter("FINALIZING")
	if j.shell != nil {
		j.shell.close()
	}
	j.leave(succeeded)
	status := succeeded
	if j.failed {
		status = failed
	}
	if early := r.ended(); early != "" {
		status = early
	}
	j.log.say("Build %s: %s", r.out.ID, status)
	if err := j.log.close(); err != nil {
		slog.Error("close build log", "build", r.out.ID, "error", err)
	}
	r.end(status)
}

// provision makes the build's folder and opens its log.
func (b *Builds) provision(j *job) (folder string, err error) {
	j.enter("PROVISIONING")
	project, stream, _ := strings.Cut(j.out.ID, ":")
	if folder, err = filepath.Abs(filepath.Join(b.options.Dir, project+"-"+stream)); err != nil {
		return "", fmt.Errorf("make build folder: %w", err)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return folder, fmt.Errorf("make build folder: %w", err)
	}
	j.source = filepath.Join(folder, "src")
	j.log, err = openLog(b.ctx, b.logs, j.out.Logs, filepath.Join(b.options.Dir, "logs", project, stream+".log"))
	return folder, err
}

func (b *Builds) phases(j *job) {
	if !j.phase("DOWNLOAD_SOURCE", func() *phaseContext { return b.download(j) }) {
		return
	}
	p := j.spec02.Phases
	if !j.commands("INSTALL", p.Install) || !j.commands("PRE_BUILD", p.PreBuild) {
		return
	}
	built := j.commands("BUILD", p.Build)
	if !built && (p.Build.OnFailure == "ABORT" || j.ended() != "") {
		return
	}
	if !j.commands("POST_BUILD", p.PostBuild) {
		return
	}
	j.phase("UPLOAD_ARTIFACTS", func() *phaseContext {
		if j.spec.artifacts.Type != "S3" {
			return nil
		}
		if err := b.upload(j.ctx, j.build, j.source, j.spec02.Artifacts); err != nil {
			return &phaseContext{"CLIENT_ERROR", err.Error()}
		}
		return nil
	})
}

// phase runs one phase and tells whether the next may come.
func (j *job) phase(name string, run func() *phaseContext) bool {
	j.enter(name)
	j.log.say("Entering phase %s", name)
	fault := run()
	status, contexts := succeeded, []phaseContext{{}}
	if fault != nil {
		status, contexts = failed, []phaseContext{*fault}
		j.failed = true
	}
	if early := j.ended(); early != "" {
		status, contexts = early, []phaseContext{{"BUILD_" + early, "Build has been ended: " + early}}
	}
	j.log.say("Phase complete: %s State: %s", name, status)
	j.log.say("Phase context status code: %s Message: %s", contexts[0].StatusCode, contexts[0].Message)
	j.leave(status, contexts...)
	return status == succeeded
}

func (b *Builds) download(j *job) *phaseContext {
	err := b.unpack(j.ctx, j.spec.location, j.spec.sourceVersion, j.source)
	if err != nil {
		return &phaseContext{"CLIENT_ERROR", err.Error()}
	}
	if j.spec02, err = readBuildspec(j.source, j.spec.buildspec); err != nil {
		return &phaseContext{"YAML_FILE_ERROR", err.Error()}
	}
	j.shell = &shell{dir: j.source, env: b.environment(j), out: j.log}
	return nil
}

// commands runs a phase's commands up to the first that fails, and its finally
// block in any case.
func (j *job) commands(name string, c commands) bool {
	ok := j.phase(name, func() *phaseContext {
		fault := j.each(c.Commands)
		if last := j.each(c.Finally); fault == nil {
			fault = last
		}
		return fault
	})
	return ok || (c.OnFailure == "CONTINUE" && j.ended() == "")
}

func (j *job) each(commands []string) *phaseContext {
	for _, command := range commands {
		if j.ended() != "" {
			return nil
		}
		j.log.say("Running command %s", command)
		succeeding := "1"
		if j.failed {
			succeeding = "0"
		}
		status, err := j.shell.run(j.ctx.Done(), "export CODEBUILD_BUILD_SUCCEEDING="+succeeding+"\n"+command)
		if err != nil {
			return &phaseContext{"INTERNAL_SERVICE_ERROR", err.Error()}
		}
		if status != 0 {
			return &phaseContext{"COMMAND_EXECUTION_ERROR", fmt.Sprintf("Error while executing command: %s. Reason: exit status %d", command, status)}
		}
	}
	return nil
}

// environment is what the commands see: CodeBuild's own variables
// (docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html),
// below them the overrides and the project's, below those the buildspec's. A source in
// S3 has no CODEBUILD_RESOLVED_SOURCE_VERSION.
func (b *Builds) environment(j *job) []string {
	out, config := j.snapshot(), b.options.Config
	env := []string{
		"PATH=" + strings.Join(append(slices.Clone(b.options.Path), os.Getenv("PATH")), string(os.PathListSeparator)),
		"HOME=" + os.Getenv("HOME"), "TMPDIR=" + os.TempDir(), "LANG=C.UTF-8", "CI=true",
		"AWS_REGION=" + config.Region, "AWS_DEFAULT_REGION=" + config.Region,
		// The edge tells by the access key who calls.
		"AWS_ACCESS_KEY_ID=" + out.ProjectName, "AWS_SECRET_ACCESS_KEY=local", "AWS_EC2_METADATA_DISABLED=true",
	}
	if config.BaseEndpoint != nil {
		env = append(env, "AWS_ENDPOINT_URL="+*config.BaseEndpoint)
	}
	env = append(env, b.options.Environment...)
	for _, name := range slices.Sorted(maps.Keys(j.spec02.Env.Variables)) {
		env = append(env, name+"="+j.spec02.Env.Variables[name])
	}
	for _, v := range j.spec.variables {
		env = append(env, v.Name+"="+v.Value)
	}
	return append(env,
		"CODEBUILD_BUILD_ARN="+out.ARN,
		"CODEBUILD_BUILD_ID="+out.ID,
		"CODEBUILD_BUILD_IMAGE="+out.Environment.Image,
		"CODEBUILD_BUILD_NUMBER="+strconv.Itoa(out.BuildNumber),
		"CODEBUILD_BUILD_SUCCEEDING=1",
		"CODEBUILD_INITIATOR="+out.Initiator,
		"CODEBUILD_LOG_PATH="+out.Logs.StreamName,
		"CODEBUILD_PROJECT_ARN=arn:aws:codebuild:"+config.Region+":"+account+":project/"+out.ProjectName,
		"CODEBUILD_SOURCE_REPO_URL="+out.Source.Location,
		"CODEBUILD_SOURCE_VERSION="+out.SourceVersion,
		"CODEBUILD_SRC_DIR="+j.source,
		"CODEBUILD_START_TIME="+strconv.FormatInt(out.StartTime.time().UnixMilli(), 10),
	)
}
