// What the operating system and the API server count: CPU time and memory of processes, requests.
// Linux only.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

namespace vdcu::bench {

// User and system time so far. Errors: 0 where there is no such process.
double CpuMilliseconds(pid_t pid);
// What is resident, and which part of it is not a page of a file (of the binary, a library).
double ResidentMebibytes(pid_t pid);
double AnonymousMebibytes(pid_t pid);

// The machine in one line: processors, system, load of the last minute.
std::string DescribeMachine();

// "POST pods/binding 201" -> requests so far, out of the API server's /metrics; lists and watches
// are left out.
using ApiCalls = std::map<std::string, double>;
ApiCalls ParseApiCalls(const std::string& metrics);
// Lines "<calls for each of `count`> <call>", those that matter.
std::string CallsForEach(const ApiCalls& before, const ApiCalls& after, size_t count);

double Quantile(std::vector<double> samples, double quantile);

}  // namespace vdcu::bench
