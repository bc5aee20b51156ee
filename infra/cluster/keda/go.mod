// What `build` takes KEDA from. The operator itself is built by the module's own go.mod and go.sum.
module kinora/keda

go 1.26.0

require github.com/kedacore/keda/v2 v2.21.0
