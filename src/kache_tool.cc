#include "cli/main.h"

int main(int argc, char** argv, char** environment) { return kache::tool_main(argc, argv, environment); }
