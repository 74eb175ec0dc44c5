package codebuild

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// checkOut puts the files of version, a commit, branch, tag or pr/N, of the
// repository at location into dir and returns the full commit SHA.
func checkOut(ctx context.Context, location, version, dir string) (string, error) {
	args := []string{"clone", "--quiet", "--no-checkout"}
	if info, err := os.Stat(location); err == nil && info.IsDir() {
		// The objects are used where they are: nothing is copied.
		args = append(args, "--shared")
		if location, err = filepath.Abs(location); err != nil {
			return "", fmt.Errorf("clone: %w", err)
		}
	}
	if _, err := git(ctx, "", append(args, "--", location, dir)...); err != nil {
		return "", err
	}
	sha, err := resolve(ctx, dir, version)
	if err != nil {
		return "", err
	}
	if _, err := git(ctx, dir, "checkout", "--quiet", "--detach", sha); err != nil {
		return "", err
	}
	return sha, nil
}

func resolve(ctx context.Context, dir, version string) (string, error) {
	if number, ok := strings.CutPrefix(version, "pr/"); ok {
		version = "refs/pull/" + number + "/head"
	}
	if version == "" {
		version = "HEAD"
	}
	if strings.HasPrefix(version, "-") {
		return "", fmt.Errorf("source version %q is an option, not a version", version)
	}
	for _, name := range []string{version, "refs/remotes/origin/" + version} {
		if sha, err := git(ctx, dir, "rev-parse", "--verify", "--quiet", name+"^{commit}"); err == nil {
			return sha, nil
		}
	}
	// A commit that no branch has comes only when it is asked for by name.
	if _, err := git(ctx, dir, "fetch", "--quiet", "--", "origin", version); err != nil {
		return "", fmt.Errorf("reference not found for primary source and source version %s: %w", version, err)
	}
	return git(ctx, dir, "rev-parse", "--verify", "FETCH_HEAD^{commit}")
}

func git(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	// The user's own settings, hooks and credentials stay out.
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.TempDir(), "GIT_TERMINAL_PROMPT=0",
		"GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_CONFIG_NOSYSTEM=1",
	}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(errs.String()))
	}
	return strings.TrimSpace(out.String()), nil
}
