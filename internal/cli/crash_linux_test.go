//go:build amd64 || arm64

package cli_test

import (
	"errors"
	"flag"
	"fmt"
	"hash/maphash"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"unique"
	"unsafe"

	"github.com/google/go-cmp/cmp"
)

var every = flag.Bool("every", false, "repair every state that a kill can leave, not only some of each long run")

// A crash is a command that is stopped before each of its operations on files.
// The programs have no switch for this: the test traces their system calls, so
// it sees what go-git and the local forge write as well.
type crash struct {
	name    string
	files   map[string]string // what stands in the folder at first
	prepare [][]string        // commands that come before
	command []string
}

// done is what a command says where the killed run had done all there was.
const done = "pull request 1 already proposes"

// Nothing breaks a write: whatever moment a command dies at, no file is half
// written, and running it again ends where an undisturbed run ends.
func TestKilledBeforeEachFileOperation(t *testing.T) {
	const before, after = "stage: nominee", "stage: archived, reason: No longer kept up."
	registryFiles := map[string]string{
		"registry/registry.yaml":             smallSettings,
		"registry/dpgs/clinic-notes.yaml":    clinicNotes,
		"registry/resources/open-guide.yaml": openGuide,
	}
	changed := func(name, from, to string) []string {
		return []string{"sed", "-i", "s/" + from + "/" + to + "/", name}
	}
	start := [][]string{
		{"git", "init", "-q", "-b", "main", "."}, {"git", "add", "registry"}, {"git", "commit", "-q", "-m", "start"},
	}
	forged := append(slices.Clone(start), []string{"dpgbot", "forge", "init", "forge"}, []string{"git", "push", "-q", "forge/repo.git", "main"})
	publish := []string{"dpgbot", "sync", "--forge", "forge", "--publish", "public", "--as-of", "2026-01-20"}
	byHand := append(slices.Clone(forged),
		publish, []string{"dpg", "assess"}, []string{"git", "add", "registry"},
		[]string{"git", "commit", "-q", "-m", "by hand"}, []string{"git", "push", "-q", "forge/repo.git", "main"},
	)
	proposed := append(slices.Clone(forged),
		changed("registry/dpgs/clinic-notes.yaml", "Clinic Notes", "Notes"), []string{"git", "commit", "-q", "-a", "-m", "rename"},
		[]string{"git", "push", "-q", "forge/repo.git", "main:refs/heads/topic"},
	)
	propose := []string{"dpgbot", "forge", "open", "forge", "--head", "topic"}
	tests := []crash{
		{"import dpga", predecessor, nil, []string{"dpg", "import", "dpga", "old", "--report", "reports/import.json"}},
		{"import dpga over what differs", predecessor, [][]string{
			{"dpg", "import", "dpga", "old"}, changed("registry/dpgs/open-map.yaml", "Open Map", "Map"),
		}, []string{"dpg", "import", "dpga", "old", "--overwrite"}},
		{"assess", registryFiles, nil, []string{"dpg", "assess"}},
		{"assess what changed", registryFiles, [][]string{
			{"dpg", "assess"}, changed("registry/dpgs/clinic-notes.yaml", "encrypts", "stores"),
			changed("registry/resources/open-guide.yaml", "stage: listed", "stage: removed, reason: Asked for."),
		}, []string{"dpg", "assess"}},
		{"build", registryFiles, start, []string{"dpg", "build", "--out", "public"}},
		{"build what changed", registryFiles, append(slices.Clone(start),
			[]string{"dpg", "build", "--out", "public"}, changed("registry/dpgs/clinic-notes.yaml", before, after),
			[]string{"git", "commit", "-q", "-a", "-m", "archive"},
		), []string{"dpg", "build", "--out", "public"}},
		{"sync", registryFiles, forged, publish},
		{"sync what changed", registryFiles, append(slices.Clone(forged),
			publish, changed("registry/dpgs/clinic-notes.yaml", "encrypts", "stores"),
			[]string{"git", "commit", "-q", "-a", "-m", "say it otherwise"}, []string{"git", "push", "-q", "forge/repo.git", "main"},
		), publish},
		{"sync when nothing is left", registryFiles, byHand, publish},
		// A branch that git gc packed is deleted by writing its file anew.
		{"sync when nothing is left, packed", registryFiles, append(slices.Clone(byHand),
			[]string{"git", "-C", "forge/repo.git", "pack-refs", "--all"}), publish},
		{"forge init", map[string]string{"README": ""}, nil, []string{"dpgbot", "forge", "init", "forge"}},
		{"forge open", registryFiles, proposed, propose},
		{"review", registryFiles, append(slices.Clone(proposed), propose),
			[]string{"dpgbot", "review", "--forge", "forge", "--pr", "1", "--as-of", "2026-01-20"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.run(t)
		})
	}
}

func (c crash) run(t *testing.T) {
	base := t.TempDir()
	write := func(dir string, s state) {
		if err := s.write(dir); err != nil {
			t.Fatal(err)
		}
	}
	work := filepath.Join(base, "work")
	write(work, c.files)
	for _, args := range c.prepare {
		if stdout, stderr, code := run(t, work, args[0], args[1:]...); code != 0 {
			t.Fatalf("%q exits %d: %s%s", args, code, stdout, stderr)
		}
	}
	begin := stateOf(t, work)
	moments := trace(t, work, c.command, 0)
	end := stateOf(t, work)
	kills := len(moments)
	if kills == 0 || cmp.Equal(begin, end) {
		t.Fatalf("%q changes no file, so there is nothing to disturb", c.command)
	}
	for i, m := range moments {
		next := end
		if i+1 < kills {
			next = moments[i+1].files
		}
		m.check(t, next)
	}

	// The folder as it stands before an operation is what a process that is killed
	// there leaves; that this is so is tried with real kills, some in a long run.
	tried := 0
	for k := 1; k <= kills; k += max(1, kills/2) {
		dir := filepath.Join(base, "killed")
		write(dir, begin)
		if killed := trace(t, dir, c.command, k); len(killed) < k {
			// assess remembers files only once they are a moment old, so one run
			// may write less than another.
			t.Logf("a run ended before operation %d", k)
		} else if diff := cmp.Diff(moments[k-1].files.plain(), stateOf(t, dir).plain()); diff != "" {
			t.Errorf("killed before operation %d of %d, %s: another state than when traced:\n%s", k, kills, moments[k-1].op, diff)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		tried++
	}

	// The repair may be killed too.
	twice, moreMoments, moreKills := 0, 1, []int{5, 23}
	if *every {
		moreMoments, moreKills = 5, []int{2, 5, 11, 23, 47}
	}
	for i := range moreMoments {
		m := moments[(i+1)*kills/(moreMoments+1)]
		for _, k := range moreKills {
			dir := filepath.Join(base, "twice")
			write(dir, m.files)
			trace(t, dir, c.command, k)
			c.repair(t, dir, moment{m.k, fmt.Sprintf("%s, and before operation %d of the repair", m.op, k), stateOf(t, dir)}, end)
			twice++
		}
	}

	// Each state once: syncing a file, say, changes nothing that can be seen.
	seen, seed := map[uint64]bool{}, maphash.MakeSeed()
	var todo []moment
	for _, m := range moments {
		if key := m.files.key(seed); !seen[key] {
			seen[key] = true
			todo = append(todo, m)
		}
	}
	distinct := len(todo)
	const most = 6 // of about a tenth of a second each
	if !*every && distinct > most {
		var some []moment
		for i := range most {
			some = append(some, todo[i*distinct/most])
		}
		todo = some
	}
	var wait sync.WaitGroup
	turns := make(chan moment)
	for worker := range 2 {
		wait.Go(func() {
			for m := range turns {
				c.repair(t, filepath.Join(base, fmt.Sprint("repair", worker)), m, end)
			}
		})
	}
	for _, m := range todo {
		turns <- m
	}
	close(turns)
	wait.Wait()
	t.Logf("%s: %d operations on files; stopped before each, %d of %d different states repaired, %d real kills, %d kills of a repair", c.name, kills, len(todo), distinct, tried, twice)
}

// repair runs the command on what a kill left and holds the end to want.
func (c crash) repair(t *testing.T, dir string, m moment, want state) {
	if err := m.files.write(dir); err != nil {
		t.Error(err)
		return
	}
	stderr, code := again(t, dir, c.command)
	if code != 0 && !strings.Contains(stderr, done) {
		t.Errorf("killed %s, then: exit code %d: %s", m, code, stderr)
	}
	got, err := readState(dir)
	if err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(want.plain(), got.plain()); diff != "" {
		t.Errorf("killed %s, then: another end (-undisturbed +repaired):\n%s", m, diff)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Error(err)
	}
}

// A state is a folder's files by their slash-separated paths; folders end in a
// slash and hold "".
type state map[string]string

func readState(dir string) (state, error) {
	s := state{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == dir {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			s[rel+"/"] = ""
			return nil
		}
		data, err := os.ReadFile(name)
		s[rel] = unique.Make(string(data)).Value() // hundreds of states share most of their files
		return err
	})
	return s, err
}

func stateOf(t *testing.T, dir string) state {
	t.Helper()
	s, err := readState(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s state) write(dir string) error {
	for name, data := range s {
		full := filepath.Join(dir, filepath.FromSlash(name))
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(full, 0o755); err != nil {
				return err
			}
			continue
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(full), 0o755), os.WriteFile(full, []byte(data), 0o644)); err != nil {
			return err
		}
	}
	return nil
}

// key tells states apart: it is made of every name and every byte.
func (s state) key(seed maphash.Seed) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	for _, name := range slices.Sorted(maps.Keys(s)) {
		for _, part := range []string{name, s[name]} {
			maphash.WriteComparable(&h, len(part))
			h.WriteString(part)
		}
	}
	return h.Sum64()
}

var lastRun = regexp.MustCompile(`"last_run": "[^"]*"`)

// plain leaves out the one clock time there is, and what may be forgotten: the
// cache, in which the times of files stand, and objects that go-git was writing,
// which nothing refers to and git gc removes.
func (s state) plain() state {
	p := state{}
	for name, data := range s {
		if !strings.HasPrefix(name, ".cache/") && !strings.HasPrefix(path.Base(name), "tmp_obj_") {
			p[name] = lastRun.ReplaceAllString(data, `"last_run": ""`)
		}
	}
	return p
}

// A moment is the folder right before an operation on files.
type moment struct {
	k     int // from 1
	op    string
	files state
}

func (m moment) String() string { return fmt.Sprintf("before operation %d, %s", m.k, m.op) }

// check holds that an operation leaves every file whole: one with a name that
// means something only comes or goes with that name.
func (m moment) check(t *testing.T, next state) {
	if m.op == "rename" || m.op == "unlink" || m.op == "link" {
		return
	}
	meant := func(s state) state {
		s = maps.Clone(s)
		maps.DeleteFunc(s, func(name, _ string) bool {
			base := path.Base(name)
			return strings.HasPrefix(base, ".dpg-aside-") || strings.HasPrefix(base, "tmp_obj_") ||
				strings.HasSuffix(base, ".lock") || strings.HasSuffix(name, "/") ||
				strings.HasPrefix(name, "forge/.repo.git-new/")
		})
		return s
	}
	if was, is := meant(m.files), meant(next); !maps.Equal(was, is) {
		t.Errorf("%s writes in place:\n%s", m, cmp.Diff(was, is))
	}
}

// trace runs a command in a folder and returns the folder as it stood before
// each operation that changes files, or kills it before the one numbered killAt.
func trace(t *testing.T, dir string, args []string, killAt int) (moments []moment) {
	t.Helper()
	// The kernel lets only the thread that started a process trace it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	program, err := exec.LookPath(args[0])
	if err != nil {
		t.Fatal(err)
	}
	output, err := os.Create(filepath.Join(t.TempDir(), "output"))
	if err != nil {
		t.Fatal(err)
	}
	defer output.Close()
	process, err := os.StartProcess(program, args, &os.ProcAttr{
		Dir: dir, Env: append(os.Environ(), environment(dir)...), Files: []*os.File{nil, output, output},
		Sys: &syscall.SysProcAttr{Ptrace: true, Setpgid: true},
	})
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSYS) {
		t.Skipf("this machine lets no process be traced, so nothing was killed: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer process.Release()
	root := process.Pid
	const (
		allThreads = syscall.WALL
		ownOnly    = 0x20000000 // __WNOTHREAD: what this thread traces
		exitKill   = 0x00100000 // PTRACE_O_EXITKILL
		syscallTag = 0x80
	)
	unsynced := map[string]bool{} // files aside, with bytes that a power cut may lose
	options := exitKill | syscall.PTRACE_O_TRACESYSGOOD | syscall.PTRACE_O_TRACECLONE | syscall.PTRACE_O_TRACEFORK | syscall.PTRACE_O_TRACEVFORK
	dead := false
	for started := false; ; {
		var status syscall.WaitStatus
		// The group is waited for: this thread may have started other tests' processes.
		pid, err := syscall.Wait4(-root, &status, allThreads|ownOnly, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if status.Exited() || status.Signaled() {
			if pid != root {
				continue
			}
			said, _ := os.ReadFile(output.Name())
			switch {
			case killAt == 0 && (status.Signaled() || status.ExitStatus() != 0):
				t.Fatalf("%q ends with status %#x: %s", args, status, said)
			}
			return moments
		}
		if dead {
			continue
		}
		if !started {
			started = true
			if err := syscall.PtraceSetOptions(pid, options); err != nil {
				t.Fatal(err)
			}
		}
		deliver := 0
		switch sig := status.StopSignal(); sig {
		case syscall.SIGTRAP | syscallTag:
			op, name := fileOperation(pid, dir)
			switch aside := strings.HasPrefix(path.Base(name), ".dpg-aside-"); {
			case op == "write" && aside:
				unsynced[name] = true
			case op == "sync" && aside:
				delete(unsynced, name)
			case op == "sync all":
				clear(unsynced)
			case op == "rename" && len(unsynced) > 0:
				t.Errorf("%q renames a file while these are not on the disk: %q", args, slices.Sorted(maps.Keys(unsynced)))
				clear(unsynced)
			}
			if op == "" {
				break
			}
			m := moment{k: len(moments) + 1, op: op}
			if killAt == 0 {
				m.files = stateOf(t, dir)
			}
			moments = append(moments, m)
			if m.k == killAt {
				dead = true
				if err := syscall.Kill(root, syscall.SIGKILL); err != nil {
					t.Fatal(err)
				}
				continue
			}
		case syscall.SIGTRAP, syscall.SIGSTOP: // a new thread, or the start
		default:
			deliver = int(sig)
		}
		if err := syscall.PtraceSyscall(pid, deliver); err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Fatal(err)
		}
	}
}

// fileOperation says how the system call that a thread is about to make changes
// files, or "", and of some which one.
func fileOperation(pid int, dir string) (op, file string) {
	var info struct { // struct ptrace_syscall_info
		op   uint8
		_    [3]uint8
		arch uint32
		_    [2]uint64
		nr   uint64
		args [6]uint64
	}
	const getSyscallInfo, entry = 0x420e, 1
	_, _, errno := syscall.RawSyscall6(syscall.SYS_PTRACE, getSyscallInfo, uintptr(pid), unsafe.Sizeof(info), uintptr(unsafe.Pointer(&info)), 0, 0)
	if errno != 0 || info.op != entry {
		return "", ""
	}
	inside := func(op string) (string, string) {
		name, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", pid, int32(info.args[0])))
		if err != nil || !strings.HasPrefix(name, dir) {
			return "", ""
		}
		return op, name
	}
	switch info.nr {
	case syscall.SYS_OPENAT:
		if info.args[2]&(syscall.O_CREAT|syscall.O_TRUNC) != 0 {
			return "create", ""
		}
	case syscall.SYS_WRITE, syscall.SYS_PWRITE64, syscall.SYS_WRITEV:
		return inside("write")
	case syscall.SYS_FTRUNCATE:
		return inside("truncate")
	case syscall.SYS_FSYNC, syscall.SYS_FDATASYNC:
		return inside("sync")
	case sysSyncfs[runtime.GOARCH]:
		return inside("sync all")
	case syscall.SYS_CLOSE:
		if writable(pid, int32(info.args[0])) {
			return inside("close")
		}
	case syscall.SYS_FCHMOD, syscall.SYS_FCHMODAT:
		return "chmod", ""
	case syscall.SYS_RENAMEAT:
		return "rename", ""
	case syscall.SYS_UNLINKAT:
		return "unlink", ""
	case syscall.SYS_MKDIRAT:
		return "mkdir", ""
	case syscall.SYS_LINKAT, syscall.SYS_SYMLINKAT:
		return "link", ""
	}
	return "", ""
}

// sysSyncfs is a system call that package syscall does not name.
var sysSyncfs = map[string]uint64{"amd64": 306, "arm64": 267}

// writable reports whether a process has a file open for writing.
func writable(pid int, fd int32) bool {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/fdinfo/%d", pid, fd))
	for line := range strings.Lines(string(data)) {
		if octal, found := strings.CutPrefix(line, "flags:"); found {
			flags, err := strconv.ParseUint(strings.TrimSpace(octal), 8, 32)
			return err == nil && flags&syscall.O_ACCMODE != syscall.O_RDONLY
		}
	}
	return false
}

// A full disk, at whatever point it is full, and one that takes no writes give an
// error that says what and where, leave every file whole, and once that is mended
// the same command ends where it would have.
func TestDiskTakesNothing(t *testing.T) {
	files := map[string]string{"registry/registry.yaml": smallSettings, "registry/dpgs/clinic-notes.yaml": clinicNotes}
	start := [][]string{
		{"git", "init", "-q", "-b", "main", "."}, {"git", "add", "registry"}, {"git", "commit", "-q", "-m", "start"},
	}
	for _, tt := range []crash{
		{"import", predecessor, nil, []string{"dpg", "import", "dpga", "old"}},
		{"assess", files, nil, []string{"dpg", "assess"}},
		{"build", files, start, []string{"dpg", "build", "--out", "public"}},
		{"sync", files, append(slices.Clone(start), []string{"dpgbot", "forge", "init", "forge"}, []string{"git", "push", "-q", "forge/repo.git", "main"}),
			[]string{"dpgbot", "sync", "--forge", "forge", "--publish", "public", "--as-of", "2026-01-20"}},
	} {
		t.Run(tt.name, tt.runWithoutRoom)
	}
}

func (c crash) runWithoutRoom(t *testing.T) {
	base := t.TempDir()
	calm := filepath.Join(base, "calm")
	if err := state(c.files).write(calm); err != nil {
		t.Fatal(err)
	}
	for _, args := range append(slices.Clone(c.prepare), c.command) {
		if slices.Equal(args, c.command) {
			c.files = stateOf(t, calm)
		}
		if stdout, stderr, code := run(t, calm, args[0], args[1:]...); code != 0 {
			t.Fatalf("%q exits %d: %s%s", args, code, stdout, stderr)
		}
	}
	want := stateOf(t, calm).plain()
	const size = 8 << 20
	// Rooms in KiB, or one of these.
	const readOnlyDisk, readOnlyFolders = -1, -2
	failed := 0
	for _, room := range []int{readOnlyFolders, readOnlyDisk, 0, 4, 8, 16, 24, 32, 40, 64, 128, 256, 512} {
		disk := filepath.Join(base, "disk")
		if err := os.MkdirAll(disk, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mount("none", disk, "tmpfs", 0, fmt.Sprint("size=", size)); err != nil {
			t.Skipf("only a user that may mount can fill a disk: %v", err)
		}
		unmount := sync.OnceFunc(func() { syscall.Unmount(disk, syscall.MNT_DETACH) })
		t.Cleanup(unmount)
		work := filepath.Join(disk, "work")
		if err := state(c.files).write(work); err != nil {
			t.Fatal(err)
		}
		ballast := filepath.Join(disk, "ballast")
		says, command := "no space left on device; make room on that disk", c.command
		switch {
		case room == readOnlyFolders:
			says = "permission denied; name another folder, or let this user write to it"
			chmod(t, work, 0o555)
			if os.Getuid() == 0 { // who may write anywhere
				command = append([]string{"setpriv", "--inh-caps=-dac_override", "--bounding-set=-dac_override"}, command...)
			}
		case room == readOnlyDisk:
			says = "read-only file system; name a folder on another disk, or mount this one for writing"
			if err := syscall.Mount("none", disk, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
				t.Fatal(err)
			}
		default:
			var free syscall.Statfs_t
			if err := syscall.Statfs(disk, &free); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(ballast, make([]byte, int64(free.Bfree)*free.Bsize-int64(room)<<10), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		stdout, stderr, code := run(t, work, command[0], command[1:]...)
		switch {
		case code == 0 && room > 0: // there was enough
		case code != 3 || stdout != "" || !strings.Contains(stderr, says) || !regexp.MustCompile(`(?m)^dpg(bot)?: error: `).MatchString(stderr):
			t.Errorf("%d KiB: exit code %d and %q, want 3 and %q", room, code, stderr, says)
		default:
			failed++
			t.Logf("%d KiB: %s", room, stderr)
		}
		after := stateOf(t, work)
		for name, data := range after.plain() {
			if old, found := c.files[name]; found && old != data && want[name] != data {
				t.Errorf("%d KiB: %s has changed to what it should not", room, name)
			} else if strings.Contains(name, ".dpg-aside-") || strings.HasSuffix(name, ".lock") {
				t.Errorf("%d KiB: %s is left", room, name)
			}
		}
		if room == readOnlyFolders {
			chmod(t, work, 0o755)
		} else if room == readOnlyDisk {
			if err := syscall.Mount("none", disk, "tmpfs", syscall.MS_REMOUNT, ""); err != nil {
				t.Fatal(err)
			}
		} else if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		if stderr, code := again(t, work, c.command); code != 0 {
			t.Errorf("%d KiB, then with room: exit code %d: %s", room, code, stderr)
		}
		if diff := cmp.Diff(want, stateOf(t, work).plain()); diff != "" {
			t.Errorf("%d KiB, then with room: another end (-undisturbed +repaired):\n%s", room, diff)
		}
		unmount()
	}
	if failed < 2 {
		t.Errorf("the command failed %d times; the test has lost its point", failed)
	}
}

// chmod sets the mode of a folder and of all below it.
func chmod(t *testing.T, dir string, mode fs.FileMode) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		return os.Chmod(name, mode)
	})
	if err != nil {
		t.Fatal(err)
	}
}
