// Checks that only results of compilers of the C family and of archivers need: is the time of the compile in them, are times of
// files, does the name of the output matter.
//
// Knows what these tools write and ask for; what the store knows of a file it asks of the verifier. Pure but for reading files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "compiler/invocation.h"
#include "compiler/refusal.h"
#include "key/input.h"
#include "key/roots.h"
#include "record/collect.h"
#include "store/verify.h"
#include "wrapper/outputs.h"

namespace kache {

// __DATE__, __TIME__ or __TIMESTAMP__ may have been used, and SOURCE_DATE_EPOCH does not say what they are. Errs on the side of
// refusing.
Refused check_time_macros(FileSystem& fs, const CommandLine& line, const Invocation& invocation, const Observed& observed);

// What is in an archive without D, or of a tool that knows none, is true of this moment only. So is what can not be read.
Refused check_member_times(FileSystem& fs, const std::string& path);
// `archive`: the bytes of an "ar(5)" file, thin or not. True for all other bytes.
bool has_member_times(std::string_view archive);

// clang writes size and time of each header into what it precompiles, and will not use it with any others.
bool holds_times_of_inputs(const Invocation& invocation, const FoundOutputs& found);

// A header or module that was precompiled without kache holds such times. clang refuses it, or makes it again, by these alone:
// with the times of now it may be good, though its content is that of another header.
bool depends_on_times_of_inputs(const Invocation& invocation, const Observed& observed, Verifier& verifier);

// Something was looked for under the name of the output (a profile): under another name it is another file.
bool reads_beside_output(const CommandLine& line, const Invocation& invocation, const Roots& roots,
                         const std::vector<Input>& inputs);

}  // namespace kache
