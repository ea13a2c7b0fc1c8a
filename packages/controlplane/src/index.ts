export { runControlPlane, type ControlPlaneOptions } from './main.ts'
