package codebuild

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
)

// startInput is what StartBuild is asked; other fields than these are ignored.
type startInput struct {
	ProjectName                  string          `json:"projectName"`
	SourceVersion                string          `json:"sourceVersion,omitempty"`
	SourceLocationOverride       string          `json:"sourceLocationOverride,omitempty"`
	BuildspecOverride            string          `json:"buildspecOverride,omitempty"`
	ArtifactsOverride            *artifactsInput `json:"artifactsOverride,omitempty"`
	EnvironmentVariablesOverride []variable      `json:"environmentVariablesOverride,omitempty"`
	TimeoutInMinutesOverride     int             `json:"timeoutInMinutesOverride,omitempty"`
	IdempotencyToken             string          `json:"idempotencyToken,omitempty"`
}

type artifactsInput struct {
	Type                 string `json:"type"`
	Location             string `json:"location,omitempty"`
	Path                 string `json:"path,omitempty"`
	NamespaceType        string `json:"namespaceType,omitempty"`
	Name                 string `json:"name,omitempty"`
	Packaging            string `json:"packaging,omitempty"`
	OverrideArtifactName bool   `json:"overrideArtifactName,omitempty"`
}

// variable is an environment variable as the API spells it.
type variable struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Type  string `json:"type,omitempty"`
}

// fault is an error that the API answers with.
type fault struct{ name, message string }

func (f *fault) Error() string { return f.name + ": " + f.message }

func invalid(message string) error  { return &fault{"InvalidInputException", message} }
func notFound(message string) error { return &fault{"ResourceNotFoundException", message} }

// ServeHTTP answers the Operations.
func (b *Builds) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	target := r.Header.Get("X-Amz-Target")
	var out any
	var err error
	switch target[strings.LastIndexByte(target, '.')+1:] {
	case "StartBuild":
		out, err = b.startBuild(r)
	case "BatchGetBuilds":
		out, err = b.batchGetBuilds(r)
	case "StopBuild":
		out, err = b.stopBuild(r)
	case "ListBuildsForProject":
		out, err = b.listBuilds(r)
	default:
		err = &fault{"UnknownOperationException", target}
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if err == nil {
		_ = json.NewEncoder(w).Encode(out)
		return
	}
	status := http.StatusBadRequest
	f, ok := errors.AsType[*fault](err)
	if !ok {
		status, f = http.StatusInternalServerError, &fault{"InternalFailure", err.Error()}
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"__type": f.name, "message": f.message})
}

func decode(r *http.Request, v any) error {
	if err := json.NewDecoder(r.Body).Decode(v); err != nil {
		return &fault{"SerializationException", err.Error()}
	}
	return nil
}

type buildOutput struct {
	Build buildState `json:"build"`
}

func (b *Builds) startBuild(r *http.Request) (any, error) {
	var in startInput
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	started, err := b.start(r.Context(), in)
	if err != nil {
		return nil, err
	}
	return buildOutput{started.snapshot()}, nil
}

func (b *Builds) batchGetBuilds(r *http.Request) (any, error) {
	var in struct{ IDs []string }
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	if len(in.IDs) == 0 || len(in.IDs) > 100 {
		return nil, invalid("ids has 1 to 100 members")
	}
	var out struct {
		Builds         []buildState `json:"builds"`
		BuildsNotFound []string     `json:"buildsNotFound,omitempty"`
	}
	for _, id := range in.IDs {
		if found, ok := b.find(id); ok {
			out.Builds = append(out.Builds, found.snapshot())
		} else {
			out.BuildsNotFound = append(out.BuildsNotFound, id)
		}
	}
	return out, nil
}

func (b *Builds) stopBuild(r *http.Request) (any, error) {
	var in struct{ ID string }
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	found, ok := b.find(in.ID)
	if !ok {
		return nil, notFound("Build " + in.ID + " does not exist")
	}
	found.cancel(errStopped)
	return buildOutput{found.snapshot()}, nil
}

func (b *Builds) listBuilds(r *http.Request) (any, error) {
	var in struct{ ProjectName, SortOrder string }
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	if _, err := b.project(r.Context(), in.ProjectName); err != nil {
		return nil, err
	}
	ids := b.idsOf(in.ProjectName)
	if in.SortOrder != "ASCENDING" {
		slices.Reverse(ids)
	}
	return map[string][]string{"ids": ids}, nil
}
