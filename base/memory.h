// The process's memory: glibc's heap, set for a cache that is filled once and then changes little
// by little, and the pages of the program and its libraries.
#pragma once

namespace vdcu::base {

// At the start of main: big blocks, such as pages of a list, go back to the system when they are
// freed; there is one arena.
void SetUpHeap();

// Gives back what is free but was not returned, page by page, and the pages of code, most of which
// only the start has needed: what is needed again comes back from the system's cache of files.
// Takes some milliseconds: for once, after what needed much for a while.
void TrimMemory();

}  // namespace vdcu::base
