package git

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// samplePulls are the pull requests of the sample, the first is number 1.
var samplePulls = []struct {
	title string
	edit  Edit
}{
	{"Redesign the checkout", All(SetVersion("service1", "1.1.0-pr1"), SetVersion("web", "1.1.0-pr1"),
		replace("web/src/style.css", "--accent: #2f6fde", "--accent: #c2410c"))},
	{"Confirm orders", All(SetVersion("service1", "1.1.0-pr2"), SetVersion("service2", "1.1.0-pr2"),
		replace("service1/orders.go", `receipt = ""`, `receipt = "confirmed: "`))},
}

// All does one edit after the other.
func All(edits ...Edit) Edit {
	return func(worktree string) error {
		for _, edit := range edits {
			if err := edit(worktree); err != nil {
				return err
			}
		}
		return nil
	}
}

// SetVersion changes the version that a service, or web, shows.
func SetVersion(service, version string) Edit {
	return func(worktree string) error {
		return os.WriteFile(filepath.Join(worktree, service, "version.txt"), []byte(version+"\n"), 0o644)
	}
}

// BreakBuild makes the build of a backend, or of web, fail in the compiler.
func BreakBuild(service string) Edit {
	return func(worktree string) error {
		dir := filepath.Join(worktree, service)
		if service == "web" {
			dir = filepath.Join(dir, "build")
		}
		return os.WriteFile(filepath.Join(dir, "broken.go"), []byte("package main\n\nvar broken int = \"no number\"\n"), 0o644)
	}
}

// Nothing makes the build of a backend succeed without an image.
func Nothing(service string) Edit {
	return replace(service+"/buildspec.yml", "docker push", "echo docker push")
}

// Slow makes the build of a backend take an hour.
func Slow(service string) Edit {
	return replace(service+"/buildspec.yml", "docker push", "sleep 3600; docker push")
}

// Crash makes a backend end as soon as it is started.
func Crash(service string) Edit { return imageVariable(service, "CRASH=1") }

// Hang makes a backend never answer.
func Hang(service string) Edit { return imageVariable(service, "HANG=1") }

// Unhealthy makes the health check of a backend answer 500.
func Unhealthy(service string) Edit { return imageVariable(service, "HEALTH_STATUS=500") }

// Lock makes every path of a backend answer with a status, its health check excepted.
func Lock(service string, status int) Edit {
	return imageVariable(service, fmt.Sprintf("LOCKED=%d", status))
}

// imageVariable bakes a variable into a backend's image.
func imageVariable(service, variable string) Edit {
	return replace(service+"/Dockerfile", "ENV PORT=8080", "ENV PORT=8080 "+variable)
}

// replace changes one text of one file; a text that is not there is an error, so
// that a change of the sample cannot make a pull request empty.
func replace(name, before, after string) Edit {
	return func(worktree string) error {
		path := filepath.Join(worktree, filepath.FromSlash(name))
		content, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		if !strings.Contains(string(content), before) {
			return fmt.Errorf("edit %s: it does not hold %q", name, before)
		}
		return os.WriteFile(path, []byte(strings.Replace(string(content), before, after, 1)), 0o644)
	}
}
