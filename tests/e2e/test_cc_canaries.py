"""Hit-rate canaries: the flags with which distributions and large projects compile. Each must be cached, with gcc and with clang;
one flag that is not would cost a whole build its cache."""
import subprocess
import time

import pytest

from laboratory import write_tree

DEBIAN = "-g -O2 -ffile-prefix-map={work}=. -fstack-protector-strong -Wformat -Werror=format-security -Wdate-time -D_FORTIFY_SOURCE=2"
DEBIAN_13 = "-g -O2 -Werror=implicit-function-declaration -ffile-prefix-map={work}=. -fstack-protector-strong -fstack-clash-protection -Wformat " \
            "-Werror=format-security -fcf-protection -Wdate-time -D_FORTIFY_SOURCE=2"
CANARIES = {
    "debian 12": DEBIAN,
    "debian 13": DEBIAN_13,
    "fedora": "-O2 -flto=auto -ffat-lto-objects -fexceptions -g -grecord-gcc-switches -pipe -Wall -Werror=format-security -Wp,-U_FORTIFY_SOURCE,-D_FORTIFY_SOURCE=2 "
              "-Wp,-D_GLIBCXX_ASSERTIONS -fstack-protector-strong -m64 -march=x86-64 -mtune=generic -fasynchronous-unwind-tables -fstack-clash-protection "
              "-fcf-protection -fno-omit-frame-pointer -mno-omit-leaf-frame-pointer",
    "arch": "-march=x86-64 -mtune=generic -O2 -pipe -fno-plt -fexceptions -Wp,-D_FORTIFY_SOURCE=2 -Wformat -Werror=format-security -fstack-clash-protection "
            "-fcf-protection -fno-omit-frame-pointer -mno-omit-leaf-frame-pointer -g -ffile-prefix-map={work}=/usr/src/debug/pkg -flto=auto",
    "cmake": "-DNDEBUG -O3 -std=gnu11 -fPIC -MD -MT {object} -MF {object}.d",
    "cmake, debug": "-g -std=gnu11 -fPIE -MD -MT {object} -MF {object}.d",
    "meson": "-I. -Iinc -fdiagnostics-color=always -D_FILE_OFFSET_BITS=64 -Wall -Winvalid-pch -Wextra -std=c11 -O2 -g -fPIC -pthread -MD -MQ {object} -MF {object}.d",
    "bazel": "-U_FORTIFY_SOURCE -fstack-protector -Wall -Wunused-but-set-parameter -Wno-free-nonheap-object -fno-omit-frame-pointer -g0 -O2 -D_FORTIFY_SOURCE=1 -DNDEBUG "
             "-ffunction-sections -fdata-sections -MD -MF {object}.d -Wno-builtin-macro-redefined "
             "-D__DATE__=\"redacted\" -D__TIMESTAMP__=\"redacted\" -D__TIME__=\"redacted\"",
    "llvm": "-D_DEBUG -D_GLIBCXX_ASSERTIONS -D_GNU_SOURCE -D__STDC_CONSTANT_MACROS -D__STDC_FORMAT_MACROS -D__STDC_LIMIT_MACROS -fPIC -fno-semantic-interposition "
            "-Werror=date-time -Wall -Wextra -Wno-unused-parameter -Wwrite-strings -Wcast-qual -Wno-missing-field-initializers -pedantic -Wno-long-long "
            "-Wimplicit-fallthrough -Wno-comment -fdiagnostics-color -ffunction-sections -fdata-sections -O3 -DNDEBUG -std=gnu11 -MD -MT {object} -MF {object}.d",
    "linux kernel": "-Wp,-MMD,{object}.d -nostdinc -I./inc -D__KERNEL__ -std=gnu11 -fshort-wchar -funsigned-char -fno-common -fno-PIE -fno-strict-aliasing -mno-sse "
                    "-mno-mmx -mno-sse2 -mno-3dnow -mno-avx -fcf-protection=none -m64 -falign-loops=1 -mno-80387 -mpreferred-stack-boundary=3 -mskip-rax-setup -mtune=generic "
                    "-mno-red-zone -mcmodel=kernel -Wno-sign-compare -fno-asynchronous-unwind-tables -mindirect-branch=thunk-extern -mindirect-branch-register "
                    "-fno-jump-tables -fno-delete-null-pointer-checks -O2 -fno-allow-store-data-races -fstack-protector-strong -fno-stack-clash-protection "
                    "-ftrivial-auto-var-init=zero -fzero-call-used-regs=used-gpr -fno-strict-overflow -fno-stack-check -fconserve-stack -Wall -Wno-pointer-sign "
                    "-DKBUILD_MODFILE=\"x\" -DKBUILD_BASENAME=\"x\" -DKBUILD_MODNAME=\"x\"",
    "linux kernel, clang": "-Wp,-MMD,{object}.d -nostdinc -I./inc -D__KERNEL__ -Werror=unknown-warning-option -Werror=ignored-optimization-argument -std=gnu11 "
                           "-fshort-wchar -funsigned-char -fno-common -fno-PIE -fno-strict-aliasing -mno-sse -mno-mmx -mno-sse2 -mno-avx -fcf-protection=none -m64 "
                           "-mno-80387 -mstack-alignment=8 -mtune=generic -mno-red-zone -mcmodel=kernel -fno-asynchronous-unwind-tables -fno-delete-null-pointer-checks -O2 "
                           "-fstack-protector-strong -fno-stack-clash-protection -Wall -Wno-gnu",
    "chromium": "-MMD -MF {object}.d -DUSE_UDEV -D_FILE_OFFSET_BITS=64 -D_LARGEFILE_SOURCE -D__STDC_CONSTANT_MACROS -Iinc -fno-delete-null-pointer-checks "
                "-fno-ident -fno-strict-aliasing -fstack-protector --param=ssp-buffer-size=4 -fPIC -pthread -fcolor-diagnostics -fmerge-all-constants -m64 -msse3 "
                "-no-canonical-prefixes -fdebug-compilation-dir=. -ffile-compilation-dir=. -ftrivial-auto-var-init=pattern -O2 -fdata-sections -ffunction-sections "
                "-fno-unique-section-names -fno-omit-frame-pointer -g0 -fvisibility=hidden -Xclang -mllvm -Xclang -instcombine-lower-dbg-declare=0 -Wheader-hygiene "
                "-Wstring-conversion -Wtautological-overlap-compare -Wall -Wno-unused-variable -Wno-builtin-macro-redefined -D__DATE__= -D__TIME__= -D__TIMESTAMP__=",
    "firefox": "-std=gnu99 -Iinc -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -DDEBUG=1 -fPIC -pthread -ffunction-sections "
               "-fdata-sections -fno-math-errno -pipe -g -O2 -fno-omit-frame-pointer -funwind-tables -Werror=return-type -Wpointer-arith -MD -MP -MF {object}.pp",
    "what others refuse": "-Ofast -gdwarf-4 -ggdb -gz -ffreestanding -fno-builtin -fstack-protector-all -funroll-loops -fopenmp -pg -frecord-gcc-switches "
                          "-frandom-seed=x -fmessage-length=0 -ftemplate-depth=50 -fms-extensions -fno-inline -fpatchable-function-entry=2 -isysteminc -nostdlib -ansi "
                          "-trigraphs -finput-charset=UTF-8 -fno-threadsafe-statics -Wno-unused-command-line-argument",
}
ONLY = {"linux kernel": "gcc", "linux kernel, clang": "clang", "chromium": "clang"}


@pytest.mark.hits
@pytest.mark.parametrize("name,compiler", [(name, compiler) for name in CANARIES for compiler in ("gcc", "clang") if ONLY.get(name, compiler) == compiler])
def test_flags_of(lab, name, compiler):
    work = write_tree(lab.root / "work", {"a.c": '#include "h.h"\nint a(int x) { return x + H; }\n', "inc/h.h": "#define H 1\n"})
    time.sleep(0.02)
    args = CANARIES[name].format(work=work, object="out/a.c.o").split()
    command = [compiler, "-Iinc", *args, "-c", "a.c", "-o", "out/a.c.o"]
    alone = None
    for expected in (None, "miss", "local_hit"):
        subprocess.run("rm -rf out && mkdir out", shell=True, cwd=work, check=True)
        if expected:
            result = lab.kache(work, *command)
            event = lab.events()[-1]
            assert event["result"] == expected and "passthrough_reason" not in event, event
        else:
            result = subprocess.run(command, cwd=work, env=lab.env(), capture_output=True)
            if result.returncode != 0:
                pytest.fail(result.stderr.decode())
        seen = (result.returncode, result.stdout, result.stderr, sorted(path.name for path in (work / "out").iterdir()))
        alone = alone or seen
        assert seen == alone
