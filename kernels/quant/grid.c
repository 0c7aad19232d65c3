#include "kernels/quant/grid.h"

#include "kernels/quant/grid_tab.h"
