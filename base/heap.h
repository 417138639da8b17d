// The process's heap (glibc's), set for a big cache that is filled once and then changes little by
// little.
#pragma once

namespace vdcu::base {

// At the start of main: big blocks, such as pages of a list, go back to the system when they are
// freed; there is one arena.
void SetUpHeap();

// Gives back what is free but was not returned, page by page. Takes some milliseconds: for once,
// after what needed much for a while.
void TrimHeap();

}  // namespace vdcu::base
