package registry

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// DirVariable names the variable that tells the docker command its store.
const DirVariable = "PREVIEWENV_IMAGES"

// BuildCommand builds the docker command into bin, and aws beside it, which is the
// same program: it has the one call that a login to ECR needs. The root is that of
// this repository. Whoever runs builds puts bin first in their PATH and sets
// DirVariable.
func BuildCommand(ctx context.Context, root, bin string) error {
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return fmt.Errorf("make %s: %w", bin, err)
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(bin, "docker"), "./infra/local/docker")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build docker command: %w: %s", err, out)
	}
	if err := os.Symlink("docker", filepath.Join(bin, "aws")); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("link aws command: %w", err)
	}
	return nil
}
