package codebuild

import (
	"encoding/json"
	"strings"
	"time"
)

// clock is how the event spells times within its detail.
const clock = "Jan 2, 2006 3:04:05 PM"

// event is the EventBridge event of a build that ended
// (docs.aws.amazon.com/codebuild/latest/userguide/sample-build-notifications.html).
func event(s buildState) json.RawMessage {
	region := strings.Split(s.ARN, ":")[3]
	phases := make([]map[string]any, len(s.Phases))
	for i, p := range s.Phases {
		phases[i] = map[string]any{"phase-type": p.PhaseType, "start-time": p.StartTime.time().Format(clock)}
		if p.PhaseStatus == "" {
			continue
		}
		contexts := []string{}
		for _, c := range p.Contexts {
			contexts = append(contexts, c.StatusCode+": "+c.Message)
		}
		phases[i]["phase-context"] = contexts
		phases[i]["end-time"] = p.EndTime.time().Format(clock)
		phases[i]["duration-in-seconds"] = p.DurationInSeconds
		phases[i]["phase-status"] = p.PhaseStatus
	}
	variables := make([]map[string]string, len(s.Environment.EnvironmentVariables))
	for i, v := range s.Environment.EnvironmentVariables {
		variables[i] = map[string]string{"name": v.Name, "type": v.Type, "value": v.Value}
	}
	raw, _ := json.Marshal(map[string]any{
		"version": "0", "id": newID(), "detail-type": "CodeBuild Build State Change", "source": "aws.codebuild",
		"account": account, "time": s.EndTime.time().Format(time.RFC3339), "region": region, "resources": []string{s.ARN},
		"detail": map[string]any{
			"build-status": s.BuildStatus, "project-name": s.ProjectName, "build-id": s.ARN,
			"current-phase": s.CurrentPhase, "current-phase-context": "[]", "version": "1",
			"additional-information": map[string]any{
				"artifact": map[string]string{
					"location": s.Artifacts.Location, "md5sum": s.Artifacts.MD5Sum, "sha256sum": s.Artifacts.SHA256Sum,
				},
				"environment": map[string]any{
					"image": s.Environment.Image, "privileged-mode": s.Environment.PrivilegedMode,
					"compute-type": s.Environment.ComputeType, "type": s.Environment.Type, "environment-variables": variables,
				},
				"timeout-in-minutes": s.TimeoutInMinutes, "build-complete": s.BuildComplete, "initiator": s.Initiator,
				"build-start-time": s.StartTime.time().Format(clock), "build-number": s.BuildNumber,
				"source":         map[string]string{"type": s.Source.Type, "location": s.Source.Location, "buildspec": s.Source.Buildspec},
				"source-version": s.SourceVersion,
				"logs": map[string]string{
					"group-name": s.Logs.GroupName, "stream-name": s.Logs.StreamName, "deep-link": s.Logs.DeepLink,
				},
				"phases": phases,
			},
		},
	})
	return raw
}
