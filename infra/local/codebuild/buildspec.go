package codebuild

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"gopkg.in/yaml.v3"
)

// buildspec is version 0.2 of the file
// (docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html), less what
// has no meaning on this machine, such as runtime versions and caches.
type buildspec struct {
	Version string `yaml:"version"`
	Env     struct {
		Shell          string            `yaml:"shell"`
		Variables      map[string]string `yaml:"variables"`
		ParameterStore map[string]string `yaml:"parameter-store"`
		SecretsManager map[string]string `yaml:"secrets-manager"`
	} `yaml:"env"`
	Phases struct {
		Install   commands `yaml:"install"`
		PreBuild  commands `yaml:"pre_build"`
		Build     commands `yaml:"build"`
		PostBuild commands `yaml:"post_build"`
	} `yaml:"phases"`
	Artifacts artifacts `yaml:"artifacts"`
}

type commands struct {
	OnFailure string   `yaml:"on-failure"` // ABORT or CONTINUE
	Commands  []string `yaml:"commands"`
	Finally   []string `yaml:"finally"`
}

type artifacts struct {
	Files         []string `yaml:"files"`
	ExcludePaths  []string `yaml:"exclude-paths"`
	BaseDirectory string   `yaml:"base-directory"`
	DiscardPaths  bool     `yaml:"discard-paths"`
	Name          string   `yaml:"name"`
}

// readBuildspec reads the buildspec that spec names in the source, or is.
func readBuildspec(source, spec string) (buildspec, error) {
	if strings.Contains(spec, "\n") {
		return parseBuildspec([]byte(spec))
	}
	if !filepath.IsLocal(spec) {
		return buildspec{}, fmt.Errorf("buildspec %q is not a path in the source", spec)
	}
	raw, err := os.ReadFile(filepath.Join(source, spec))
	if errors.Is(err, os.ErrNotExist) {
		return buildspec{}, fmt.Errorf("stat %s: no such file or directory", spec)
	}
	if err != nil {
		return buildspec{}, fmt.Errorf("read buildspec: %w", err)
	}
	return parseBuildspec(raw)
}

func parseBuildspec(raw []byte) (buildspec, error) {
	var b buildspec
	if err := yaml.Unmarshal(raw, &b); err != nil {
		return b, fmt.Errorf("parse buildspec: %w", err)
	}
	if b.Version != "0.2" {
		return b, fmt.Errorf("buildspec version %q: the local CodeBuild takes 0.2", b.Version)
	}
	if b.Env.Shell != "" && b.Env.Shell != "bash" && b.Env.Shell != "/bin/sh" {
		return b, fmt.Errorf("buildspec shell %q: the local CodeBuild has bash", b.Env.Shell)
	}
	if len(b.Env.ParameterStore)+len(b.Env.SecretsManager) > 0 {
		return b, errors.New("buildspec env: the local CodeBuild takes variables only, no parameters and secrets")
	}
	for _, c := range []commands{b.Phases.Install, b.Phases.PreBuild, b.Phases.Build, b.Phases.PostBuild} {
		if c.OnFailure != "" && c.OnFailure != "ABORT" && c.OnFailure != "CONTINUE" {
			return b, fmt.Errorf("buildspec on-failure %q: the local CodeBuild takes ABORT and CONTINUE", c.OnFailure)
		}
	}
	return b, nil
}
