// The profiles that the tools of AWS share: ~/.aws/credentials and ~/.aws/config. Files of the user, read with bounds.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/env.h"
#include "base/file_system.h"

namespace kache {

// Settings by their names in lower case.
using AwsProfile = std::map<std::string, std::string>;
using AwsProfiles = std::map<std::string, AwsProfile>;

enum class AwsFile : uint8_t { credentials, config };

// Adds what an INI text says. In `config` a profile's section is "[profile name]", or "[default]"; in `credentials` it is "[name]".
// What is set already stays: the credentials file goes first. Lines that are none are passed over, as the tools of AWS do.
void add_profiles(std::string_view text, AwsFile file, AwsProfiles& profiles);

// Of both files, where they are (AWS_SHARED_CREDENTIALS_FILE, AWS_CONFIG_FILE, or below HOME). An absent file has no profiles.
Result<AwsProfiles> read_profiles(FileSystem& files, const Env& env);

}  // namespace kache
