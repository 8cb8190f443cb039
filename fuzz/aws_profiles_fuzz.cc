// Any INI text: names and values are whole trimmed pieces of one line of it, none is empty, and reading it twice adds nothing.
#include <cstdlib>

#include "remote/aws_profiles.h"
#include "remote/credential_process.h"

using namespace kache;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  for (AwsFile file : {AwsFile::credentials, AwsFile::config}) {
    AwsProfiles profiles;
    add_profiles(text, file, profiles);
    AwsProfiles again = profiles;
    add_profiles(text, file, again);
    if (again != profiles) std::abort();
    for (const auto& [profile, settings] : profiles) {
      if (profile.empty() || text.find(profile) == std::string_view::npos) std::abort();
      for (const auto& [name, value] : settings) {
        if (name.empty() || value.empty() || value.find('\n') != std::string::npos || text.find(value) == std::string_view::npos) std::abort();
      }
    }
  }
  Result<std::vector<std::string>> words = split_command(text);
  if (words.ok() && (words->empty() || words->front().empty())) std::abort();
  return 0;
}
